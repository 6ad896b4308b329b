/** Network namespaces: machines of a test, on this one. Only root can make them. */

import { find, missingOrNotRoot, succeed } from "./programs.ts";

/** A machine with a network of its own: at first nothing but loopback. */
export interface Machine extends AsyncDisposable {
  /** Of its namespace. */
  readonly name: string;
  /** A program with arguments that runs a command line on it. */
  readonly under: readonly string[];
}

/** Several tests at a time may make machines of the same roles. */
const RUN = `${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;

/** Why a test with machines cannot run here; undefined where it can. */
export const noMachines = missingOrNotRoot(["ip", "sysctl", "unshare"]) ?? notPermitted();

function namespace(role: string): string {
  return `denosmtpd-${RUN}-${role}`;
}

function notPermitted(): string | undefined {
  const ip = (word: string) => {
    const args = ["netns", word, namespace("try")];
    return new Deno.Command(find("ip") ?? "ip", { args, stdout: "null", stderr: "null" })
      .outputSync().success;
  };
  return ip("add") && ip("delete") ? undefined : "network namespaces are not permitted";
}

/** Makes one for this role in the test. Its programs must end before it is disposed of. */
export async function makeMachine(role: string): Promise<Machine> {
  const name = namespace(role);
  await ip("netns", "add", name);
  const machine = {
    name,
    // Sets the host name in a namespace of its own, and then is the program itself.
    under: [
      ...within(name),
      find("unshare") ?? "unshare",
      "--uts",
      "sh",
      "-c",
      'echo "$0" >/proc/sys/kernel/hostname && exec "$@"',
      role,
    ],
    async [Symbol.asyncDispose]() {
      await ip("netns", "delete", name);
    },
  };
  try {
    await ip("-netns", name, "link", "set", "lo", "up");
    return machine;
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}

/** Gives each machine its address in one /24 network. The first one holds the switch as well. */
export async function connect(network: readonly (readonly [Machine, string])[]): Promise<void> {
  const [[first]] = network as [readonly [Machine, string]];
  await ip("-netns", first.name, "link", "add", "switch", "type", "bridge");
  await ip("-netns", first.name, "link", "set", "switch", "up");
  for (const [i, [{ name }, address]] of network.entries()) {
    // Made with both ends where they belong: they are never on this machine itself.
    const end = ["name", `port${i}`, "netns", first.name];
    await ip("link", "add", "eth0", "netns", name, "type", "veth", "peer", ...end);
    await ip("-netns", first.name, "link", "set", `port${i}`, "master", "switch", "up");
    await ip("-netns", name, "address", "add", `${address}/24`, "dev", "eth0");
    await ip("-netns", name, "link", "set", "eth0", "up");
  }
}

/** Sets a variable of the kernel for one machine, such as `net.ipv4.tcp_migrate_req=1`. */
export async function setOn({ name }: Machine, setting: string): Promise<void> {
  await ip(...within(name).slice(1), find("sysctl") ?? "sysctl", "-q", "-w", setting);
}

function within(name: string): string[] {
  return [find("ip") ?? "ip", "netns", "exec", name];
}

async function ip(...words: string[]): Promise<void> {
  await succeed("ip", words);
}
