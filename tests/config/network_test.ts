/** Networks in CIDR notation: who is in them and who is not. */

import assert from "node:assert/strict";
import { contains, parseNetwork } from "../../src/config/network.ts";
import { printNetwork } from "../support/print_network.ts";
import { ValueError } from "../../src/config/problem.ts";

const ROWS: readonly (readonly [network: string, inside: string[], outside: string[]])[] = [
  ["127.0.0.0/8", ["127.0.0.0", "127.0.0.1", "127.255.255.255"], ["126.255.255.255", "128.0.0.0"]],
  ["192.0.2.0/24", ["192.0.2.0", "192.0.2.255"], ["192.0.1.255", "192.0.3.0", "::1"]],
  ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]],
  ["192.0.2.4/30", ["192.0.2.4", "192.0.2.7"], ["192.0.2.3", "192.0.2.8"]],
  ["192.0.2.1/32", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]],
  ["192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]],
  ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]],
  ["10.0.0.0/9", ["10.127.255.255"], ["10.128.0.0"]],
  // Bits behind the network's own do not count.
  ["192.0.2.77/24", ["192.0.2.1"], ["192.0.3.77"]],
  ["010.0.0.0/8", ["10.1.2.3"], ["8.1.2.3"]],
  ["::1", ["::1", "0:0:0:0:0:0:0:1"], ["::", "::2", "127.0.0.1", "0.0.0.1"]],
  ["2001:db8::/32", ["2001:db8::", "2001:DB8:ffff::1"], ["2001:db9::", "2001:db7:ffff::"]],
  ["2001:db8::/33", ["2001:db8:7fff::"], ["2001:db8:8000::"]],
  ["fe80::/10", ["fe80::1", "febf::1"], ["fec0::1"]],
  ["2001:db8::1/128", ["2001:db8::1"], ["2001:db8::"]],
  ["::/0", ["::", "2001:db8::1"], ["192.0.2.1"]],
  // An IPv4 peer on a socket of both families, and a network written that way.
  ["192.0.2.0/24", ["::ffff:192.0.2.1", "::ffff:c000:201"], ["::ffff:192.0.3.1"]],
  ["::ffff:192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.2"]],
];

for (const [text, inside, outside] of ROWS) {
  Deno.test(`network ${text} has ${inside[0]}, not ${outside[0]}`, () => {
    const network = parseNetwork(text);
    for (const address of inside) assert.equal(contains(network, address), true, address);
    for (const address of outside) assert.equal(contains(network, address), false, address);
  });
}

Deno.test("what is no address is in no network", () => {
  for (const network of ["0.0.0.0/0", "::/0"].map(parseNetwork)) {
    for (const text of ["", "me.example", "[127.0.0.1]", "127.0.0.1:25", "unknown"]) {
      assert.equal(contains(network, text), false, text);
    }
  }
});

Deno.test("a network is printed in one form", () => {
  const rows = [
    ["192.0.2.0/24", "192.0.2.0/24"],
    ["192.0.2.1", "192.0.2.1/32"],
    ["2001:DB8:0::/32", "2001:db8::/32"],
    ["::1", "::1/128"],
    ["010.0.0.0/08", "10.0.0.0/8"],
  ];
  for (const [text, printed] of rows) {
    assert.equal(printNetwork(parseNetwork(text!)), printed);
    assert.deepEqual(parseNetwork(printed!), parseNetwork(text!));
  }
});

Deno.test("what is no network is told from one with wrong bits", () => {
  const none = ["", "/", "/8", "127.0.0/8", "localhost", "127.0.0.0/8/8", "[::1]/128", "a/8", "*"];
  for (const text of none) {
    assert.throws(() => parseNetwork(text), (error) => {
      assert.ok(error instanceof ValueError, text);
      assert.match(
        error.message,
        /is no network, write it like 192\.0\.2\.0\/24 or 2001:db8::\/32$/,
      );
      return true;
    });
  }
  const rows: [string, number][] = [
    ["127.0.0.0/33", 32],
    ["127.0.0.0/", 32],
    ["127.0.0.0/-1", 32],
    ["127.0.0.0/8x", 32],
    ["127.0.0.0/ 8", 32],
    ["127.0.0.0/255.0.0.0", 32],
    ["::/129", 128],
    ["::/1000", 128],
  ];
  for (const [text, most] of rows) {
    assert.throws(() => parseNetwork(text), (error) => {
      assert.ok(error instanceof ValueError, text);
      assert.match(
        error.message,
        new RegExp(`after the slash belongs a number from 0 to ${most}$`),
      );
      return true;
    });
  }
});
