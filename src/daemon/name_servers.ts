/** Which name servers are asked about other hosts. */

import type { HostPort } from "../config/value.ts";
import type { NameServer } from "../relay/resolver.ts";
import { canonicalIp } from "../smtp/ip.ts";

const PORT = 53;

/** As many as other resolvers take from the file. */
const MOST = 3;

/** What other resolvers ask where no name server is named. */
const PRESET: NameServer = { host: "127.0.0.1", port: PORT };

/**
 * The configured name server, else those that the text of resolv.conf names; one at least. Addresses
 * with a zone (`fe80::1%eth0`) are left out: they cannot be connected to by address alone.
 */
export function nameServers(
  configured: HostPort | undefined,
  resolvConf: string | undefined,
): readonly NameServer[] {
  if (configured) return [{ host: configured.host, port: configured.port ?? PORT }];
  const named = (resolvConf ?? "").split("\n").flatMap(nameServer).slice(0, MOST);
  return named.length > 0 ? named : [PRESET];
}

/** `nameserver ADDRESS`, after which a comment may stand. */
function nameServer(line: string): NameServer[] {
  const host = canonicalIp(/^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1] ?? "");
  return host === undefined ? [] : [{ host, port: PORT }];
}
