/** What each part of the daemon may do, derived from the configuration and from nothing else. */

import type { Configuration } from "../config/configuration.ts";
import { isKept } from "../config/min_free.ts";
import { printHostPort } from "../receiver/listener.ts";
import { usesPolicies } from "../relay/protection.ts";
import { canonicalIp } from "../smtp/ip.ts";
import type { Outline } from "./plan.ts";
import type { Reach } from "./reach.ts";

/** Nothing at all; what a part needs is granted by name. */
const NOTHING = {
  net: false,
  read: false,
  write: false,
  env: false,
  sys: false,
  run: false,
  ffi: false,
  import: false,
} satisfies Deno.PermissionOptionsObject;

/**
 * The receiver listens where it is told to, writes mailboxes, and new messages into the queue, reads
 * the certificate, and sees how much room there is. It connects nowhere but to those same places: to
 * Deno the right is the same.
 */
export function receiverPermissions(
  { configuration: { mail }, places, granted }: Omit<Outline, "reach">,
): Deno.PermissionOptionsObject {
  const directories = [...granted, `${mail.SPOOL_DIR}/queue`, `${mail.SPOOL_DIR}/tmp`];
  // Nobody else reads the key.
  const pair = [mail.TLS_CERT, mail.TLS_KEY].filter((path) => path !== undefined);
  return {
    ...NOTHING,
    net: places.map(({ address, port }) => printHostPort(address, port)),
    read: [...directories, ...pair],
    write: directories,
    // Where the daemon itself may not, as when it was started with fewer rights, nobody sees that.
    sys: isKept(mail.MIN_FREE) && maySeeSpace() ? ["statfs"] : false,
  };
}

function maySeeSpace(): boolean {
  return Deno.permissions.querySync({ name: "sys", kind: "statfs" }).state === "granted";
}

/**
 * The relay connects to mail servers, name servers and the hosts of policies, and keeps the spool. It
 * sees no mailbox.
 */
export function relayPermissions(
  { mail }: Configuration,
  reach: Reach,
): Deno.PermissionOptionsObject {
  return {
    ...NOTHING,
    net: relayNet(mail, reach),
    read: [mail.SPOOL_DIR],
    write: [mail.SPOOL_DIR],
  };
}

/** Where the policies of domains are (RFC 8461 3.3). */
const HTTPS = 443;

function relayNet(
  mail: Configuration["mail"],
  { nameServers, families, ipv6 }: Reach,
): true | string[] {
  const { RELAY_HOST, RELAY_PORT } = mail;
  const port = RELAY_HOST?.port ?? RELAY_PORT;
  const only = RELAY_HOST && canonicalIp(RELAY_HOST.host);
  if (only !== undefined) return [printHostPort(only, port)];
  // A range of IPv6 addresses cannot be written: where they can be reached, all the net is granted.
  if (ipv6) return true;
  const ports = usesPolicies(mail) ? [port, HTTPS] : [port];
  return [
    ...ports.map((one) => `0.0.0.0/0:${one}`),
    ...families.includes("AAAA") ? ports.map((one) => `[::1]:${one}`) : [],
    ...nameServers.map((server) => printHostPort(server.host, server.port)),
  ];
}

/**
 * Gives up what the main thread has no use for once the threads run. A thread can be given only what
 * the main thread has, so it keeps the network, files and the sight of free space for those that
 * replace them.
 */
export async function dropPermissions(): Promise<void> {
  for (const name of ["env", "run", "ffi", "import"] as const) {
    await Deno.permissions.revoke({ name });
  }
}
