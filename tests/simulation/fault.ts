/** What goes wrong at servers, and when. */

import type { Reply } from "../../src/smtp/reply.ts";

/** What a server is asked for. */
export type Step =
  | "connect"
  | "greeting"
  | "EHLO"
  | "HELO"
  | "RSET"
  | "MAIL"
  | "RCPT"
  | "DATA"
  | "text"
  | "end"
  | "QUIT";

/** Where a conversation stands. */
export interface Moment {
  readonly step: Step;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Connections to this server so far, this one included. */
  readonly connection: number;
  /** At RCPT: for whom, and how many there were in this transaction, this one included. */
  readonly recipient?: string;
  readonly count?: number;
}

/** What the server does then instead of what it should. */
export type Fault =
  /** Nothing, from now on. At `connect` that is a host that is not there. */
  | { readonly kind: "silent"; readonly stored?: boolean }
  /** Closes without a word. At `connect` the connection is refused. */
  | { readonly kind: "close"; readonly stored?: boolean }
  /** Resets the connection. */
  | { readonly kind: "reset"; readonly stored?: boolean }
  /** Says this instead, a reply or not. After 421 it closes. */
  | { readonly kind: "say"; readonly text: string; readonly stored?: boolean };

/** What goes wrong at a moment, if anything does. */
export type Faults = (moment: Moment) => Fault | undefined;

export const silent: Fault = { kind: "silent" };
export const close: Fault = { kind: "close" };
export const say = (text: string): Fault => ({ kind: "say", text });

/** The fault at this step, every time. */
export function at(step: Step, fault: Fault): Faults {
  return (moment) => moment.step === step ? fault : undefined;
}

/** The faults of one recipient each, by local-part, at RCPT. */
export function recipients(faults: Readonly<Record<string, Fault>>): Faults {
  return ({ step, recipient = "" }) =>
    step === "RCPT" ? faults[recipient.split("@")[0]!] : undefined;
}

/** What is said as a reply, undefined where it is none. The lines stand without a status. */
export function asReply(text: string): Reply | undefined {
  const lines = text.split("\r\n").map((line) => /^([2-5]\d\d)(?:[ -](.*))?$/.exec(line));
  const code = Number(lines[0]?.[1]);
  if (lines.some((line) => line === null) || !code) return undefined;
  return { code, status: "", lines: lines.map((line) => line?.[2] ?? "") };
}
