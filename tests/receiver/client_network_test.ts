/** Whose addresses are one client's. */

import assert from "node:assert/strict";
import { networkOf } from "../../src/receiver/client_network.ts";

const NETWORKS: readonly (readonly [address: string, network: string])[] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
  ["::1", "::/64"],
];

for (const [address, network] of NETWORKS) {
  Deno.test(`${address} is one of ${network}`, () => assert.equal(networkOf(address), network));
}
