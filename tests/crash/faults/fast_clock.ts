/** Time of a daemon's own: a day of it in minutes, or a clock that somebody sets. Needs libfaketime. */

import { find, missing } from "../../support/programs.ts";

const LIBRARY = findLibrary();

/** Why a test with another time cannot run here; undefined where it can. */
export const noOtherTime = missing(["env"]) ??
  (LIBRARY === undefined ? "libfaketime is not installed" : undefined);

function findLibrary(): string | undefined {
  const folders = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
  return folders.map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

/** For `under` of a daemon whose time goes so many times as fast. */
export function faster(times: number): string[] {
  return under(`FAKETIME=+0 x${times}`);
}

/** A clock that a test sets; what waits for a time to pass, waits as long as it does. */
export class SettableClock implements AsyncDisposable {
  readonly under: readonly string[];
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
    this.under = under(
      `FAKETIME_TIMESTAMP_FILE=${file}`,
      "FAKETIME_NO_CACHE=1",
      "FAKETIME_DONT_FAKE_MONOTONIC=1",
    );
  }

  static async make(): Promise<SettableClock> {
    const clock = new SettableClock(await Deno.makeTempFile({ prefix: "denosmtpd-test-" }));
    await clock.set(0);
    return clock;
  }

  /** It shows so many seconds more than it would. */
  async set(seconds: number): Promise<void> {
    // Whoever looks at it meanwhile sees one or the other.
    await Deno.writeTextFile(`${this.#file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    await Deno.rename(`${this.#file}.new`, this.#file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#file);
  }
}

function under(...variables: string[]): string[] {
  return [find("env") ?? "env", `LD_PRELOAD=${LIBRARY}`, ...variables];
}
