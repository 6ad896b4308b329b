/** Whose addresses are one client's. */

import { formatIp, parseIp } from "../smtp/ip.ts";

/** What counts as one client, by a canonical address: an IPv4 one, or the /64 that one network of IPv6 has. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const bytes = parseIp(address);
  if (!bytes) return address;
  if (bytes.length === 4) return formatIp(bytes);
  return `${formatIp(bytes.map((byte, i) => i < 8 ? byte : 0))}/64`;
}
