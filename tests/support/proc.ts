/** What Linux tells of a process. */

/** The text of `/proc/PID/name`. A program reads it, as Deno would want all permissions for it. */
export async function toldOf({ pid }: Deno.ChildProcess, name: string): Promise<string> {
  const path = `/proc/${pid}/${name}`;
  const { success, stdout } = await new Deno.Command("cat", { args: [path] }).output();
  if (!success) throw new Error(`${path} cannot be read`);
  return new TextDecoder().decode(stdout);
}

/** Memory in octets: all that is resident, and how much of it is no file's. */
export async function memoryOf(
  process: Deno.ChildProcess,
): Promise<{ readonly resident: number; readonly own: number }> {
  const status = await toldOf(process, "status");
  return { resident: octets(status, "VmRSS"), own: octets(status, "RssAnon") };
}

function octets(status: string, name: string): number {
  const kilobytes = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`no ${name} in its status`);
  return Number(kilobytes) * 1024;
}
