/** IP addresses: every form of RFC 4291 2.2 comes in, the one form of RFC 5952 goes out. */

import assert from "node:assert/strict";
import {
  addressLiteral,
  canonicalIp,
  formatIp,
  literalAddress,
  parseIp,
  parseIpv4,
  parseIpv6,
} from "../../src/smtp/ip.ts";

Deno.test("IPv4 is four decimal numbers of one to three digits (RFC 788 4.1.2, 788-X10)", () => {
  const rows: [string, number[]][] = [
    ["0.0.0.0", [0, 0, 0, 0]],
    ["127.0.0.1", [127, 0, 0, 1]],
    ["255.255.255.255", [255, 255, 255, 255]],
    ["010.020.030.040", [10, 20, 30, 40]],
    ["08.09.00.000", [8, 9, 0, 0]],
    ["123.255.37.2", [123, 255, 37, 2]],
  ];
  for (const [text, bytes] of rows) {
    assert.deepEqual([...parseIpv4(text) ?? []], bytes, text);
    assert.deepEqual([...parseIp(text) ?? []], bytes, text);
  }
});

const NOT_IPV4 = [
  "",
  "1",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.",
  ".1.2.3",
  "1..2.3",
  "256.0.0.1",
  "1.2.3.999",
  "1.2.3.0004",
  "0x7f.0.0.1",
  "1.2.3.a",
  "-1.2.3.4",
  "+1.2.3.4",
  " 1.2.3.4",
  "1.2.3.4 ",
  "1.2.3.4\n",
  "1.2.3.4/8",
  "[1.2.3.4]",
  "١.٢.٣.٤",
];

const NOT_IPV6 = [
  "",
  ":",
  ":::",
  "::::",
  "1",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "::1:2:3:4:5:6:7:8",
  "1::2::3",
  "1:2:3:4:5:6:7:",
  ":1:2:3:4:5:6:7",
  "1:::2",
  "12345::",
  "g::",
  "::1%lo",
  "[::1]",
  " ::1",
  "::1 ",
  "::1\n",
  "::1/128",
  "1.2.3.4",
  "::1.2.3",
  "::1.2.3.4.5",
  "::256.0.0.1",
  "::1.2.3.4:5",
  "1.2.3.4::",
  "1:2:3:4:5:6:7:1.2.3.4",
  "1:2:3:4:5:1.2.3.4",
  "::-1",
];

Deno.test("what is no address is none", () => {
  for (const text of NOT_IPV4) assert.equal(parseIpv4(text), undefined, text);
  for (const text of NOT_IPV6) assert.equal(parseIpv6(text), undefined, text);
  const both = [...NOT_IPV4, ...NOT_IPV6.filter((text) => text !== "1.2.3.4")];
  for (const text of both) {
    assert.equal(parseIp(text), undefined, text);
    assert.equal(canonicalIp(text), undefined, text);
  }
});

/** What comes in, and its one spelling. */
const IPV6: readonly (readonly [text: string, canonical: string])[] = [
  // The three forms of RFC 4291 2.2.
  ["ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"],
  ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
  ["2001:DB8::8:800:200C:417A", "2001:db8::8:800:200c:417a"],
  ["FF01:0:0:0:0:0:0:101", "ff01::101"],
  ["FF01::101", "ff01::101"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["::1", "::1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["::", "::"],
  ["0:0:0:0:0:0:13.1.68.3", "::d01:4403"],
  ["::13.1.68.3", "::d01:4403"],
  ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["::013.001.068.003", "::d01:4403"],
  // `::` for one group only is read, and not written (RFC 5952 4.2.2).
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["1::3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  // The longest run, of equal ones the first (RFC 5952 4.2.3).
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["1:0:0:2:3:0:0:0", "1:0:0:2:3::"],
  ["0:0:1::", "0:0:1::"],
  // Without leading zeros, in lower case (RFC 5952 4.1, 4.3).
  ["2001:0db8:0000:0000:0000:0000:00AA:0001", "2001:db8::aa:1"],
  ["fe80::", "fe80::"],
];

Deno.test("IPv6 has one canonical form (RFC 5952)", () => {
  for (const [text, canonical] of IPV6) {
    const bytes = parseIpv6(text);
    assert.equal(bytes?.length, 16, text);
    assert.equal(formatIp(bytes!), canonical, text);
    assert.equal(canonicalIp(text), canonical, text);
    assert.deepEqual(parseIpv6(canonical), bytes, canonical);
  }
});

Deno.test("the bytes are in network order", () => {
  assert.deepEqual(
    [...parseIpv6("2001:db8::102:ff")!],
    [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x02, 0x00, 0xff],
  );
});

Deno.test("an IPv4 address mapped into IPv6 is that IPv4 address", () => {
  for (const text of ["::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1"]) {
    assert.equal(canonicalIp(text), "192.0.2.1", text);
    assert.equal(parseIpv6(text)?.length, 16, text);
  }
  for (
    const text of ["::fffe:192.0.2.1", "1::ffff:192.0.2.1", "::192.0.2.1", "::ffff:0:192.0.2.1"]
  ) {
    assert.equal(parseIp(text)?.length, 16, text);
  }
});

Deno.test("any 16 octets survive being written and read", () => {
  // Every pattern of zero and other groups.
  for (let pattern = 0; pattern < 256; pattern++) {
    const bytes = new Uint8Array(16);
    for (let group = 0; group < 8; group++) {
      if (pattern >> group & 1) bytes.set([group, 0x80 + group], 2 * group);
    }
    assert.deepEqual(parseIpv6(formatIp(bytes)), bytes, formatIp(bytes));
  }
});

Deno.test("the address literal has its tag for IPv6 alone (RFC 5321 4.1.3)", () => {
  assert.equal(addressLiteral(parseIp("192.0.2.1")!), "[192.0.2.1]");
  assert.equal(addressLiteral(parseIp("2001:DB8::1")!), "[IPv6:2001:db8::1]");
  assert.equal(addressLiteral(parseIp("::1")!), "[IPv6:::1]");
});

Deno.test("an address literal gives its address, anything else none", () => {
  const cases = [
    ["[192.0.2.1]", "192.0.2.1"],
    ["[IPv6:2001:DB8::1]", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["192.0.2.1", undefined],
    ["[x:y]", undefined],
    ["[]", undefined],
    ["x.test", undefined],
  ] as const;
  for (const [text, address] of cases) assert.equal(literalAddress(text), address, text);
});
