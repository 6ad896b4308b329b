/** dnsmasq as the name server of a test. */

import { freePort } from "./free_port.ts";
import { find } from "./programs.ts";

export interface Dnsmasq {
  readonly host: string;
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface DnsmasqPlace {
  readonly host: string;
  readonly port: number;
  /** A program with arguments that runs it, such as `ip netns exec names`. */
  readonly under?: readonly string[];
}

/** Starts it with nothing but these options and waits until it serves. */
export async function startDnsmasq(
  options: readonly string[],
  place: DnsmasqPlace = { host: "127.0.0.1", port: freePort("127.0.0.1") },
): Promise<Dnsmasq> {
  const { host, port, under = [] } = place;
  const [program, ...words] = [...under, find("dnsmasq") ?? "dnsmasq"];
  const process = new Deno.Command(program!, {
    args: [
      ...words,
      "--keep-in-foreground",
      "--conf-file=/dev/null",
      "--pid-file",
      "--log-facility=-",
      "--no-resolv",
      "--no-hosts",
      "--bind-interfaces",
      `--listen-address=${host}`,
      `--port=${port}`,
      // It gives up root's rights unless it is told to keep them.
      ...Deno.uid() === 0 ? ["--user=root", "--group=root"] : [],
      ...options,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (!log.includes("started, version")) {
    const { done, value } = await reader.read();
    if (done) {
      await process.status;
      throw new Error(`dnsmasq did not start:\n${log}`);
    }
    log += value;
  }
  return {
    host,
    port,
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      process.kill("SIGTERM");
      await process.status;
    },
  };
}
