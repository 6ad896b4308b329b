/** Names of files in a Maildir: unique over all hosts and processes that share it, without locks. */

export interface NameSource {
  /** The machine's own name, not what it is called in mail: several may be called the same there. */
  readonly host: string;
  /** Own process's number. */
  readonly process: number;
  /** A number from 0 up to, not including, 1; asked for once. */
  random(): number;
  /** Milliseconds since 1970. */
  now(): number;
}

const OURS = /^(\d+)\.M\d+P\d+Q\d+R[0-9a-f]{8}\.(.*)$/;
/** Seconds. */
const LONG_AGO = 36 * 3600;

/**
 * Makes names of the form `seconds.M<microseconds>P<process>Q<count>R<random>.host`, as Maildir's
 * conventions have them. Nothing in them comes from a client.
 */
export class MaildirNames {
  #count = 0;
  readonly #host: string;
  readonly #random: string;

  constructor(readonly source: NameSource) {
    this.#random = Math.floor(source.random() * 2 ** 32).toString(16).padStart(8, "0");
    // `/` and `:` have a meaning in Maildir, so they are written as octal escapes.
    this.#host = source.host.replace(/[^A-Za-z0-9.-]/g, (c) => {
      return `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`;
    });
    // A file's name has 255 octets at most, and the rest of it takes up to 100.
    this.#host = this.#host.slice(0, 128);
  }

  /** Another name than any before. */
  next(): string {
    const now = this.source.now();
    const seconds = Math.floor(now / 1000);
    const micros = Math.floor((now - seconds * 1000) * 1000);
    const { process } = this.source;
    return `${seconds}.M${micros}P${process}Q${++this.#count}R${this.#random}.${this.#host}`;
  }

  /**
   * Whether this is a temporary file that nobody works on any more: one that a daemon on this
   * machine made, or one that a daemon on any machine made a day and a half ago, as Maildir's
   * conventions have it.
   */
  isLeftover(name: string): boolean {
    const [, seconds, host] = OURS.exec(name) ?? [];
    if (seconds === undefined) return false;
    return host === this.#host || this.source.now() / 1000 - Number(seconds) > LONG_AGO;
  }
}
