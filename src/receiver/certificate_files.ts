/** The files of TLS_CERT and TLS_KEY, read again when they change: whoever renews them restarts nothing. */

import type { Clock } from "../clock.ts";
import { findFile, unreadable } from "../config/file.ts";
import { SettingError } from "../config/setting_error.ts";
import type { Log } from "../log.ts";
import { type Certificate, CertificateError, readCertificate } from "../tls/certificate.ts";

/**
 * Milliseconds between two looks at the files. A pair is two files: it is read when both have been
 * left alone from one look to the next.
 */
const LOOK = 5000;

/** Octets of a file; a chain has some thousands. */
const MOST_READ = 1024 * 1024;

const SETTINGS = { certificate: "TLS_CERT", key: "TLS_KEY" } as const;
type Part = keyof typeof SETTINGS;

/** Paths of PEM files. */
export type PairPaths = Readonly<Record<Part, string>>;

/** Holds the pair that connections are secured with, and looks after its files. */
export class CertificateFiles {
  readonly #paths: PairPaths;
  readonly #clock: Clock;
  readonly #log: Log;
  #current: Certificate;
  /** How the files looked when the pair was taken, and at the last look. */
  #read: string;
  #seen: string;
  /** The last one that was told of. */
  #refusal: string | undefined;
  #callOff: () => void;

  private constructor(
    paths: PairPaths,
    { certificate, look }: { certificate: Certificate; look: string },
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#paths = paths;
    this.#current = certificate;
    this.#read = this.#seen = look;
    this.#clock = clock;
    this.#log = log;
    this.#callOff = this.#lookLater();
  }

  /** Reads the pair, and looks after it until `close`. Rejects with SettingError where it cannot be used. */
  static async open(
    paths: PairPaths,
    parts: { readonly clock: Clock; readonly log: Log },
  ): Promise<CertificateFiles> {
    const look = await lookAt(paths);
    return new CertificateFiles(paths, { certificate: await readPair(paths), look }, parts);
  }

  /** The latest pair that could be used. */
  get current(): Certificate {
    return this.#current;
  }

  close(): void {
    this.#callOff();
    this.#callOff = () => {};
  }

  #lookLater(): () => void {
    return this.#clock.after(LOOK, () => {
      // Until it has looked, closing has nothing to call off but this.
      let closed = false;
      this.#callOff = () => void (closed = true);
      this.#look().then(() => {
        if (!closed) this.#callOff = this.#lookLater();
      });
    });
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const look = await lookAt(this.#paths);
    const settled = look === this.#seen;
    this.#seen = look;
    if (!settled || look === this.#read) return;
    try {
      this.#current = await read(this.#paths);
      this.#read = look;
      const until = new Date(this.#current.validTo).toISOString();
      this.#log.info("certificate changed", { file: this.#paths.certificate, until });
    } catch (error) {
      // The old one still serves. What was missing may be a right or a free descriptor, and a look
      // does not show when they are there, so it is tried again.
      this.#refuse(
        look,
        error instanceof CertificateError
          ? error
          : new CertificateError(`cannot be used (${error})`, "certificate"),
      );
    }
  }

  /** Tells of it once. */
  #refuse(look: string, { part, message }: CertificateError): void {
    const refusal = `${look}: ${message}`;
    if (refusal === this.#refusal) return;
    this.#refusal = refusal;
    this.#log.error("certificate refused", { file: this.#paths[part], error: message });
  }
}

/** Reads a pair and tries it. Rejects with SettingError where it cannot be used. */
export async function readPair(paths: PairPaths): Promise<Certificate> {
  try {
    return await read(paths);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new SettingError(`${paths[error.part]}: ${error.message}`, SETTINGS[error.part]);
  }
}

/** Rejects with CertificateError. */
async function read(paths: PairPaths): Promise<Certificate> {
  const [certificate, key] = [await text(paths, "certificate"), await text(paths, "key")];
  return await readCertificate(certificate, key);
}

async function text(paths: PairPaths, part: Part): Promise<string> {
  try {
    return await readPem(paths[part]);
  } catch (error) {
    throw error instanceof PemFileError ? new CertificateError(error.message, part) : error;
  }
}

/** A file cannot be read as PEM; the message says why, fit to stand behind its path. */
export class PemFileError extends Error {
  override name = "PemFileError";
}

/** The text of a file that should be PEM. Rejects with PemFileError. */
export async function readPem(path: string): Promise<string> {
  try {
    await findFile(path);
    const { size } = await Deno.stat(path);
    if (size <= MOST_READ) return await Deno.readTextFile(path);
  } catch (error) {
    throw new PemFileError(unreadable(error));
  }
  throw new PemFileError("is too long for a PEM file");
}

/** What tells that a file is another one or has been written. Never rejects. */
async function lookAt({ certificate, key }: PairPaths): Promise<string> {
  const looks = [certificate, key].map(async (path) => {
    try {
      const { mtime, size, ino } = await Deno.stat(path);
      return `${mtime?.getTime()} ${size} ${ino}`;
    } catch (error) {
      return error instanceof Error ? error.name : String(error);
    }
  });
  return (await Promise.all(looks)).join(", ");
}
