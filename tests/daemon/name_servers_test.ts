/** Which name servers are asked, by configuration or by the system's own file. */

import assert from "node:assert/strict";
import { nameServers } from "../../src/daemon/name_servers.ts";

const at = (...hosts: string[]) => hosts.map((host) => ({ host, port: 53 }));

Deno.test("the configured name server is the only one", () => {
  const configured = { host: "192.0.2.1", port: 5353 };
  assert.deepEqual(nameServers(configured, "nameserver 192.0.2.2\n"), [configured]);
});

Deno.test("a configured name server without a port listens on 53", () => {
  assert.deepEqual(nameServers({ host: "::1", port: undefined }, undefined), at("::1"));
});

const FILES: readonly [what: string, text: string | undefined, hosts: string[]][] = [
  ["no file leaves the one on this machine", undefined, ["127.0.0.1"]],
  ["an empty file leaves the one on this machine", "", ["127.0.0.1"]],
  ["the order of the lines counts", "nameserver 192.0.2.2\nnameserver 192.0.2.1\n", [
    "192.0.2.2",
    "192.0.2.1",
  ]],
  ["other lines do not", "domain x.test\nsearch a.test b.test\noptions ndots:5\n", ["127.0.0.1"]],
  ["blanks and tabs may stand around", "  nameserver\t 192.0.2.1 \r\n", ["192.0.2.1"]],
  ["IPv6 is as good", "nameserver 2001:DB8::1\n", ["2001:db8::1"]],
  [
    "lines of comments are passed over",
    "# nameserver 192.0.2.1\n;nameserver 192.0.2.2\n;; nameserver 192.0.2.3\nnameserver 192.0.2.4",
    ["192.0.2.4"],
  ],
  ["a comment may follow", "nameserver 192.0.2.1 # ours\nnameserver 192.0.2.2;old", [
    "192.0.2.1",
    "192.0.2.2",
  ]],
  [
    "addresses with a zone and what is no address are passed over",
    "nameserver fe80::1%eth0\nnameserver dns.test\nnameserver\nnameservers 192.0.2.9\nnameserver 192.0.2.1",
    ["192.0.2.1"],
  ],
  [
    "three are enough",
    [1, 2, 3, 4].map((n) => `nameserver 192.0.2.${n}\n`).join(""),
    ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
  ],
];

for (const [what, text, hosts] of FILES) {
  Deno.test(`resolv.conf: ${what}`, () => {
    assert.deepEqual(nameServers(undefined, text), at(...hosts));
  });
}
