/** What the bench's command lines say, and how they read their words. */

export function say(...lines: readonly string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${lines.join("\n")}\n`));
}

/** What the words of the command line mean; where they mean nothing it says so, and ends with 2. */
export function given<T>(read: (words: readonly string[]) => T, usage: string): T {
  try {
    return read(Deno.args);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    say(error.message, usage);
    Deno.exit(2);
  }
}
