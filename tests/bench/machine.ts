/** What figures depend on besides the programs. */

/** One line for people: processor, system, and the file system of a folder. */
export async function machineOf(folder: string): Promise<string> {
  const model = /^model name\s*:\s*(.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  const mounts = await Deno.readTextFile("/proc/mounts");
  const cores = `${navigator.hardwareConcurrency} cores (${model ?? Deno.build.arch})`;
  return `${cores}, Linux ${Deno.osRelease()}, ${fileSystemIn(mounts, folder)}`;
}

/** `ext4 at /`: the file system that a path is on, by the text of `/proc/mounts`. */
export function fileSystemIn(mounts: string, path: string): string {
  const all = mounts.split("\n").map((line) => line.split(" "));
  const above = all.filter(([, at = ""]) => at !== "" && `${path}/`.startsWith(withSlash(at)));
  // The innermost; of two at one place the later covers the earlier.
  const [, at, type] = above.reduce(
    (best, one) => one[1]!.length >= (best[1]?.length ?? 0) ? one : best,
    [],
  );
  return type === undefined ? "unknown file system" : `${type} at ${at}`;
}

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}
