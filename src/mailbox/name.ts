/** Names of files in a Maildir: unique over all hosts and processes that share it, without locks. */

export interface NameSource {
  /** Own host's name. */
  readonly host: string;
  /** Own process's number. */
  readonly process: number;
  /** Eight hexadecimal digits, drawn once per process or thread. */
  readonly random: string;
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Makes names of the form `seconds.M<microseconds>P<process>Q<count>R<random>.host`, as Maildir's
 * conventions have them. Nothing in them comes from a client.
 */
export class MaildirNames {
  #count = 0;
  readonly #host: string;
  readonly #own: RegExp;

  constructor(readonly source: NameSource) {
    // `/` and `:` have a meaning in Maildir, so they are written as octal escapes.
    this.#host = source.host.replace(/[^A-Za-z0-9.-]/g, (c) => {
      return `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`;
    });
    const host = this.#host.replace(/[.\\]/g, "\\$&");
    this.#own = new RegExp(`^\\d+\\.M\\d+P\\d+Q\\d+R[0-9a-f]{8}\\.${host}$`);
  }

  next(): string {
    const now = this.source.now();
    const seconds = Math.floor(now / 1000);
    const micros = Math.floor((now - seconds * 1000) * 1000);
    const { process, random } = this.source;
    return `${seconds}.M${micros}P${process}Q${++this.#count}R${random}.${this.#host}`;
  }

  /** Whether a daemon on this host, this one or an earlier one, made this name for a temporary file. */
  isOwn(name: string): boolean {
    return this.#own.test(name);
  }
}
