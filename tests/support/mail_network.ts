/**
 * A small world of mail hosts on this machine: each has a loopback address of its own, all have the
 * same port, and a name server knows where each domain's mail goes.
 */

import { freePort } from "./free_port.ts";
import { type NameServer, startNameServer, type Table } from "./name_server.ts";

export interface MailNetwork {
  /** Of every host. */
  readonly port: number;
  readonly names: NameServer;
  /** The lines of mail.conf by which a daemon finds its way in it. */
  readonly mail: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `domains` are names and the address of the host of each; `table` is what else is known. */
export async function startMailNetwork(
  domains: Readonly<Record<string, string>>,
  table: Table = {},
): Promise<MailNetwork> {
  const hosts = Object.entries(domains).flatMap(([domain, address]): [string, Table[string]][] => [
    [domain, { MX: [[10, `mx.${domain}`]] }],
    [`mx.${domain}`, { A: [address] }],
  ]);
  const port = freePort(...Object.values(domains));
  const names = await startNameServer({ ...Object.fromEntries(hosts), ...table });
  return {
    port,
    names,
    mail: `RELAY_PORT = ${port}\nNAME_SERVER = ${names.host}:${names.port}\n`,
    [Symbol.asyncDispose]: () => names[Symbol.asyncDispose](),
  };
}
