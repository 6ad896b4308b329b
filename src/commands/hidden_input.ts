/** Lines typed at a terminal that does not show them. */

const NUL = 0x00;
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const LF = 0x0a;
const CR = 0x0d;
const CTRL_U = 0x15;
const BLANK = 0x20;
const DELETE = 0x7f;

/** Octets of a line that are kept; what is typed beyond them is lost. */
const LONGEST = 1024;

/** What arrow keys and the like send (ECMA-48 5.4), as far as one read brings it. */
// deno-lint-ignore no-control-regex
const KEY = /\x1b(\[[0-?]*[ -/]*[@-~]?|O.?|.)?/gs;

/** The person has had enough: Ctrl-C, or the terminal is gone. */
export class Interrupted extends Error {
  override name = "Interrupted";
}

/** What it needs of standard input. */
export interface Terminal {
  read(into: Uint8Array): Promise<number | null>;
  setRaw(raw: boolean): void;
}

/** Signals that would leave the terminal without its echo. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Reads lines from a terminal that shows nothing of them. */
export class HiddenInput {
  readonly #terminal: Terminal;
  readonly #write: (text: string) => void;
  /** Read but not yet used: the next line, where both were pasted. */
  #ahead: number[] = [];

  /** `write` writes a prompt where the person sees it. */
  constructor(terminal: Terminal, write: (text: string) => void) {
    this.#terminal = terminal;
    this.#write = write;
  }

  /** The octets of one line without its end. Rejects with Interrupted; the terminal is as it was. */
  async ask(prompt: string): Promise<Uint8Array> {
    const { promise: signalled, reject } = Promise.withResolvers<never>();
    const stop = () => reject(new Interrupted());
    SIGNALS.forEach((signal) => Deno.addSignalListener(signal, stop));
    this.#terminal.setRaw(true);
    try {
      this.#write(prompt);
      return await Promise.race([this.#line(), signalled]);
    } finally {
      this.#terminal.setRaw(false);
      SIGNALS.forEach((signal) => Deno.removeSignalListener(signal, stop));
      this.#write("\n");
    }
  }

  async #line(): Promise<Uint8Array> {
    const line: number[] = [];
    while (true) {
      const octet = await this.#next();
      if (octet === CTRL_C) throw new Interrupted();
      if (octet === CR || octet === LF || octet === CTRL_D) break;
      if (octet === CTRL_U) line.length = 0;
      else if (octet === BACKSPACE || octet === DELETE) removeCharacter(line);
      else if ((octet >= BLANK || octet === NUL) && line.length < LONGEST) line.push(octet);
    }
    return Uint8Array.from(line);
  }

  /** Rejects with Interrupted. */
  async #next(): Promise<number> {
    for (;;) {
      const octet = this.#ahead.shift();
      if (octet !== undefined) return octet;
      const bytes = new Uint8Array(LONGEST);
      const length = await this.#terminal.read(bytes);
      if (length === null) throw new Interrupted();
      const text = String.fromCharCode(...bytes.subarray(0, length)).replace(KEY, "");
      this.#ahead = [...text].map((character) => character.charCodeAt(0));
    }
  }
}

/** The last one of UTF-8, whose octets after the first are 10xxxxxx. */
function removeCharacter(line: number[]): void {
  while (((line.pop() ?? 0) & 0xc0) === 0x80);
}
