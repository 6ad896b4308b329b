/** What people read: results on standard output, troubles on standard error. */

const encoder = new TextEncoder();

/** One or more lines of result. */
export function say(text: string): void {
  write(Deno.stdout, text);
}

/** Many lines of result; waits for a reader that is slow. */
export async function print(lines: readonly string[]): Promise<void> {
  const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
  try {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  } catch {
    Deno.exit(Exit.Failed);
  }
}

/** One line of trouble; the program's name goes in front. */
export function complain(text: string): void {
  write(Deno.stderr, `denosmtpd: ${text}`);
}

/** Where nobody reads, or nothing can be written, there is nothing left to say. */
function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(`${text}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch {
    Deno.exit(Exit.Failed);
  }
}

/** How a command ended. */
export enum Exit {
  Good = 0,
  /** It could not do what it was asked. */
  Failed = 1,
  /** It was used or configured wrongly. */
  Misused = 2,
}
