/** Networks in CIDR notation. */

import { type IpBytes, parseIp } from "../smtp/ip.ts";
import { ValueError } from "./problem.ts";

/** The addresses whose first `bits` bits are those of `address`. */
export interface Network {
  readonly address: IpBytes;
  readonly bits: number;
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address. Throws ValueError. */
export function parseNetwork(text: string): Network {
  const [addressText = "", bitsText, ...more] = text.split("/");
  const address = parseIp(addressText);
  // A blank before another address: a list without its commas.
  if (!address || more.length > 0 || /\s\S*[.:]/.test(text)) {
    throw new ValueError(
      `"${text}" is no network, write it like 192.0.2.0/24 or 2001:db8::/32`,
    );
  }
  const most = address.length * 8;
  if (bitsText === undefined) return { address, bits: most };
  const bits = /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : NaN;
  if (!(bits <= most)) {
    throw new ValueError(
      `"${text}" is no network, after the slash belongs a number from 0 to ${most}`,
    );
  }
  return { address, bits };
}

/** Whether the address (text, either family) is in the network. Text that is no address is in none. */
export function contains(network: Network, address: string): boolean {
  const bytes = parseIp(address);
  if (!bytes || bytes.length !== network.address.length) return false;
  for (let i = 0; i < bytes.length; i++) {
    const wanted = Math.min(8, Math.max(0, network.bits - 8 * i));
    const mask = 0xff << (8 - wanted) & 0xff;
    if ((bytes[i]! ^ network.address[i]!) & mask) return false;
  }
  return true;
}
