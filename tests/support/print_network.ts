/** A network as text, for comparisons. */

import type { Network } from "../../src/config/network.ts";
import { formatIp } from "../../src/smtp/ip.ts";

export function printNetwork({ address, bits }: Network): string {
  return `${formatIp(address)}/${bits}`;
}
