/** A folder for the time of a test. */

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

/** An empty one that is removed in the end, with all that is in it then. */
export async function makeFolder(): Promise<Folder> {
  const path = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
