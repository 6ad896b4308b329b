/** A text's header: where it ends, and the fields it consists of (RFC 5322 2.1, 2.2). */

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const DELETE = 127;

/** Where the reader stands. */
enum At {
  /** At the first octet of the text. */
  Start,
  /** In what may be the name of the first field. */
  Name,
  /** In blanks between that name and its colon. */
  Blanks,
  LineStart,
  /** Past a CR at the start of a line. */
  Cr,
  Inside,
  /** Past the empty line. */
  End,
  /** In a text without a header. */
  None,
}

/**
 * Finds the end of the header in a text that comes in pieces of any size: its first empty line. A
 * text whose first line is neither empty nor a field has no header.
 */
export class HeaderEnd {
  #at = At.Start;

  /** Past the empty line. */
  get reached(): boolean {
    return this.#at === At.End;
  }

  /** Whether the text turned out to have no header. */
  get noHeader(): boolean {
    return this.#at === At.None;
  }

  /** Takes the next piece; returns how many octets of it were read before either was known. */
  feed(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#at < At.End) this.#at = after(this.#at, bytes[at++]!);
    return at;
  }

  /** The text is over: a first line without its colon is no field any more. */
  end(): void {
    if (this.#at === At.Name || this.#at === At.Blanks) this.#at = At.None;
  }
}

function after(at: At, byte: number): At {
  switch (at) {
    case At.Start:
      if (byte === CR) return At.Cr;
      return isNameOctet(byte) ? At.Name : At.None;
    case At.Name:
    case At.Blanks:
      if (byte === COLON) return At.Inside;
      if (isBlank(byte)) return At.Blanks;
      return at === At.Name && isNameOctet(byte) ? At.Name : At.None;
    case At.LineStart:
      if (byte === CR) return At.Cr;
      break;
    case At.Cr:
      if (byte === LF) return At.End;
  }
  return byte === LF ? At.LineStart : At.Inside;
}

export interface Field {
  /** In lower case. */
  readonly name: string;
  /** What follows the colon, folded as it came, without the last CR LF: a view into the header. */
  readonly body: Uint8Array;
}

/** A header that readers may take differently. The message says why in words fit for a reply. */
export class HeaderError extends Error {
  override name = "HeaderError";
}

const decoder = new TextDecoder("latin1");

/**
 * The fields of a header, in their order; an empty line ends it. Where there is a line that is no
 * field, nor continues one, some readers end the header and some go on: HeaderError, as for control
 * characters. A line of blanks alone does continue a field (obs-FWS, RFC 5322 4.2).
 */
export function* readFields(header: Uint8Array): Generator<Field, void, undefined> {
  let field: { readonly name: string; readonly start: number } | undefined;
  let end = 0;
  for (let at = 0; at < header.length;) {
    const stop = lineStop(header, at);
    const continues = stop > at && isBlank(header[at]!);
    if (field && !continues) yield { name: field.name, body: header.subarray(field.start, end) };
    if (stop === at) return;
    if (!continues) field = beginField(header.subarray(at, stop), at);
    else if (!field) throw new HeaderError("it begins with a blank");
    end = stop;
    at = stop + 2;
  }
  if (field) yield { name: field.name, body: header.subarray(field.start, end) };
}

/** Where the line that begins at `at` stops, before its CR LF or at the end of all. */
function lineStop(header: Uint8Array, at: number): number {
  const lf = header.indexOf(LF, at);
  const stop = lf < 0 ? header.length : header[lf - 1] === CR ? lf - 1 : lf + 1;
  for (let i = at; i < stop; i++) {
    const byte = header[i]!;
    if (byte < SPACE && byte !== TAB || byte === DELETE) {
      throw new HeaderError("a control character");
    }
  }
  return stop;
}

/** The name in a line that began at `at` in its header, and where in the header its body starts. */
function beginField(line: Uint8Array, at: number): { name: string; start: number } {
  let length = 0;
  while (length < line.length && isNameOctet(line[length]!)) length++;
  // Nor is one with blanks before its colon (obsolete, RFC 5322 4.5): there some readers end the header.
  if (length === 0 || line[length] !== COLON) throw new HeaderError("a line in it is no field");
  const name = decoder.decode(line.subarray(0, length)).toLowerCase();
  return { name, start: at + length + 1 };
}

/** RFC 5322 3.6.8. */
function isNameOctet(byte: number): boolean {
  return byte > SPACE && byte < DELETE && byte !== COLON;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
