/** What the machine's network means for the relay. */

import assert from "node:assert/strict";
import { reachOf } from "../../src/daemon/reach.ts";

const NAME_SERVERS = [{ host: "192.0.2.53", port: 53 }];

const IPV4 = ["127.0.0.1", "192.0.2.1"];
const LOOPBACK = [...IPV4, "::1"];
const LINK_LOCAL = [...LOOPBACK, "fe80::1", "fe9a::1", "feab::1", "febf::1"];
const GLOBAL = [...LOOPBACK, "2001:db8::1"];

const places = (addresses: string[], ...listening: string[]) =>
  reachOf(addresses, NAME_SERVERS).ownPlaces(listening)
    .map(({ address, port }) => `${address} ${port}`);

Deno.test("the name servers are those that were found", () => {
  assert.deepEqual(reachOf(IPV4, NAME_SERVERS).nameServers, NAME_SERVERS);
});

const NETWORKS: readonly (readonly [
  what: string,
  addresses: string[],
  families: string[],
  ipv6: boolean,
])[] = [
  ["no address at all", [], ["A"], false],
  ["IPv4 alone", IPV4, ["A"], false],
  ["IPv6 on loopback alone", LOOPBACK, ["A", "AAAA"], false],
  ["link-local IPv6 reaches nobody", LINK_LOCAL, ["A", "AAAA"], false],
  ["an IPv6 address of the world", GLOBAL, ["A", "AAAA"], true],
  ["a unique local one, which may reach a mail host", [...IPV4, "fd00::1"], ["A", "AAAA"], true],
];

for (const [what, addresses, families, ipv6] of NETWORKS) {
  Deno.test(`families: ${what}`, () => {
    const reach = reachOf(addresses, NAME_SERVERS);
    assert.deepEqual([reach.families, reach.ipv6], [families, ipv6]);
  });
}

Deno.test("a plain listening address is the one place", () => {
  assert.deepEqual(places(GLOBAL, "192.0.2.1:25"), ["192.0.2.1 25"]);
  assert.deepEqual(places(GLOBAL, "[2001:db8::1]:2525"), ["2001:db8::1 2525"]);
});

Deno.test("0.0.0.0 is every IPv4 address", () => {
  assert.deepEqual(places(GLOBAL, "0.0.0.0:25"), ["127.0.0.1 25", "192.0.2.1 25"]);
});

Deno.test(":: is every address of both families", () => {
  assert.deepEqual(places(GLOBAL, "[::]:25"), GLOBAL.map((address) => `${address} 25`));
});

Deno.test("several listening addresses are places with a port each", () => {
  assert.deepEqual(
    places(GLOBAL, "127.0.0.1:25", "[::1]:2525"),
    ["127.0.0.1 25", "::1 2525"],
  );
});
