/** A text as people pipe it in, made fit to be sent. */

import { type Mailbox, printMailbox, printPath } from "../smtp/address.ts";
import { dateTime } from "../smtp/trace.ts";

const LF = 10;
const CR = 13;

const encoder = new TextEncoder();

/** What a header says where the text has none. */
export interface HeaderFacts {
  readonly reversePath: Mailbox | null;
  readonly forwardPaths: readonly Mailbox[];
  /** Own name. */
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Tells messages of the same moment apart. */
  readonly process: number;
}

/** Makes every line end CR LF, the last line's too, and puts a header on top where there is none. */
export function standardText(bytes: Uint8Array, facts: HeaderFacts): Uint8Array {
  const text = withCrLf(bytes);
  const start = String.fromCharCode(...text.subarray(0, 200));
  // A field's name is visible ASCII up to its colon (RFC 5322 2.2).
  if (/^[!-9;-~]+:/.test(start)) return text;
  const header = encoder.encode(headerOf(facts));
  const result = new Uint8Array(header.length + text.length);
  result.set(header);
  result.set(text, header.length);
  return result;
}

/** The least that RFC 5322 3.6 asks for, and whom it is to. */
function headerOf({ reversePath, forwardPaths, host, now, process }: HeaderFacts): string {
  const from = reversePath ? printPath(reversePath) : `<postmaster@${host}>`;
  return `Date: ${dateTime(now)}\r\nFrom: ${from}\r\n` +
    `To: ${forwardPaths.map(printMailbox).join(",\r\n\t")}\r\n` +
    `Message-ID: <${now}.${process}@${host}>\r\n\r\n`;
}

/** CR LF, CR alone and LF alone each end a line. */
function withCrLf(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * bytes.length + 2);
  let length = 0;
  const endLine = () => {
    out[length++] = CR;
    out[length++] = LF;
  };
  bytes.forEach((byte, i) => {
    if (byte === LF && bytes[i - 1] === CR) return;
    if (byte === LF || byte === CR) endLine();
    else out[length++] = byte;
  });
  if (length > 0 && out[length - 1] !== LF) endLine();
  return out.subarray(0, length);
}
