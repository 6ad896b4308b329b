/** Single values of mail.conf: what is read, and what a person is told who wrote another. */

import assert from "node:assert/strict";
import { ValueError } from "../../src/config/problem.ts";
import * as value from "../../src/config/value.ts";

interface Table {
  readonly read: value.Reader<unknown>;
  readonly good: readonly (readonly [text: string, value: unknown])[];
  /** Texts that are refused. */
  readonly bad: readonly string[];
  /** What the message says is right. */
  readonly hint: RegExp;
}

const TABLES: Readonly<Record<string, Table>> = {
  wholeNumber: {
    read: value.wholeNumber(1, 1000),
    good: [["1", 1], ["1000", 1000], ["007", 7]],
    bad: [
      "",
      "0",
      "1001",
      "-1",
      "+1",
      "1.0",
      "1e2",
      "0x10",
      "1,000",
      " 1",
      "1 ",
      "ten",
      "NaN",
      "٣",
    ],
    hint: /no whole number from 1 to 1000$/,
  },
  port: {
    read: value.port,
    good: [["1", 1], ["25", 25], ["65535", 65535]],
    bad: ["", "0", "65536", "smtp", "25/tcp", "-25"],
    hint: /no whole number from 1 to 65535$/,
  },
  listeningPort: {
    read: value.listeningPort,
    good: [["0", 0], ["65535", 65535]],
    bad: ["65536", "-1", "any"],
    hint: /no whole number from 0 to 65535$/,
  },
  duration: {
    read: value.duration(1, 86_400),
    good: [
      ["1", 1],
      ["300", 300],
      ["90s", 90],
      ["5m", 300],
      ["5 m", 300],
      ["5M", 300],
      ["4h", 14_400],
      ["1d", 86_400],
      ["86400", 86_400],
    ],
    bad: ["", "0", "0s", "86401", "2d", "-1", "1.5h", "5 min", "5ms", "1h30m", "h", "5w", "s5"],
    hint: /no time from 1 to 86400 seconds, write it like 300, 90s, 5m, 4h or 5d$/,
  },
  size: {
    read: value.size(1024, 1024 ** 3),
    good: [
      ["1024", 1024],
      ["1K", 1024],
      ["1k", 1024],
      ["50M", 52_428_800],
      ["50 MB", 52_428_800],
      ["50mb", 52_428_800],
      ["1G", 1_073_741_824],
      ["2048b", 2048],
    ],
    bad: ["", "0", "1023", "2G", "-1K", "1.5M", "1KK", "1MiB", "M", "unlimited", "1e6"],
    hint: /no size from 1024 to 1073741824 bytes, write it like 50M$/,
  },
  domain: {
    read: value.domain,
    good: [
      ["me.example", "me.example"],
      ["ME.Example", "ME.Example"],
      ["localhost", "localhost"],
      ["[109.43.197.25]", "[109.43.197.25]"],
      ["[IPV6:2001:DB8::1]", "[IPv6:2001:db8::1]"],
      ["[2001:db8::1]", "[IPv6:2001:db8::1]"],
    ],
    bad: [
      "",
      "me_example",
      "me example",
      "me.example.",
      "-me",
      "me@example",
      "[1.2.3]",
      "é.example",
    ],
    hint: /no domain name or \[address\]$/,
  },
  "domain, an address without brackets": {
    read: value.domain,
    good: [],
    bad: ["109.43.197.25", "127.0.0.1", "::1", "2001:db8::1"],
    hint: /no domain name or \[address\], an address stands in brackets: \[[0-9a-f.:]+\]$/,
  },
  ipAddress: {
    read: value.ipAddress,
    good: [
      ["127.0.0.1", "127.0.0.1"],
      ["0.0.0.0", "0.0.0.0"],
      ["::", "::"],
      ["2001:DB8:0::1", "2001:db8::1"],
      ["::ffff:192.0.2.1", "192.0.2.1"],
      ["localhost", "127.0.0.1"],
      ["LocalHost", "127.0.0.1"],
    ],
    bad: ["", "*", "me.example", "[::1]", "127.1", "256.0.0.1", "fe80::1%eth0", "127.0.0.1:25"],
    hint: /no IP address, write it like 127\.0\.0\.1, 0\.0\.0\.0 or ::$/,
  },
  hostPort: {
    read: value.hostPort,
    good: [
      ["mx.example", { host: "mx.example", port: undefined }],
      ["mx.example:587", { host: "mx.example", port: 587 }],
      ["192.0.2.1", { host: "192.0.2.1", port: undefined }],
      ["192.0.2.1:587", { host: "192.0.2.1", port: 587 }],
      ["[192.0.2.1]:587", { host: "192.0.2.1", port: 587 }],
      ["2001:DB8::1", { host: "2001:db8::1", port: undefined }],
      ["[2001:db8::1]", { host: "2001:db8::1", port: undefined }],
      ["[2001:db8::1]:25", { host: "2001:db8::1", port: 25 }],
      ["[IPv6:2001:db8::1]:25", { host: "2001:db8::1", port: 25 }],
    ],
    bad: [
      "",
      ":25",
      "mx.example:",
      "mx.example:x",
      "a:1:2",
      "[::1]x",
      "[::1]:",
      "[]",
      "[tag:content]",
      "mx example",
    ],
    hint: /no (host, write it like mx\.example:25|domain name or \[address\])$/,
  },
  "hostPort, the port": {
    read: value.hostPort,
    good: [],
    bad: ["mx.example:0", "mx.example:65536", "192.0.2.1:99999"],
    hint: /no whole number from 1 to 65535$/,
  },
  addressPort: {
    read: value.addressPort,
    good: [
      ["192.0.2.1", { host: "192.0.2.1", port: undefined }],
      ["192.0.2.1:53", { host: "192.0.2.1", port: 53 }],
      ["[2001:db8::1]:53", { host: "2001:db8::1", port: 53 }],
      ["::1", { host: "::1", port: undefined }],
    ],
    bad: ["ns.example", "ns.example:53"],
    hint: /no IP address, write it like/,
  },
  "list of domains": {
    read: value.list(value.domain),
    good: [
      ["", []],
      ["a.example", ["a.example"]],
      ["a.example, b.example ,c.example", ["a.example", "b.example", "c.example"]],
      ["a.example,,b.example,", ["a.example", "b.example"]],
    ],
    bad: ["a.example b.example", "a.example; b.example", "a.example, b_c"],
    hint: /no domain name or \[address\]$/,
  },
  someOf: {
    read: value.someOf(value.ipAddress),
    good: [["127.0.0.1, ::1", ["127.0.0.1", "::1"]]],
    bad: ["", ",", " , "],
    hint: /^at least one value is needed$/,
  },
  networks: {
    read: (text) => value.networks(text).length,
    good: [["none", 0], ["None", 0], ["127.0.0.0/8, ::1", 2], ["0.0.0.0/0", 1]],
    bad: ["all", "127.0.0.0/8, none", "me.example"],
    hint: /no network, write it like 192\.0\.2\.0\/24 or 2001:db8::\/32$/,
  },
  oneOf: {
    read: value.oneOf("text", "json"),
    good: [["text", "text"], ["JSON", "json"]],
    bad: ["", "xml", "text, json", "tex"],
    hint: /none of text, json$/,
  },
  path: {
    read: value.path,
    good: [
      ["/var/mail", "/var/mail"],
      ["spool", "spool"],
      ["with blank/é", "with blank/é"],
      ["a#b:c=d", "a#b:c=d"],
    ],
    bad: [""],
    hint: /^a path has visible characters alone, one at least$/,
  },
};

for (const [name, { read, good, bad, hint }] of Object.entries(TABLES)) {
  Deno.test(`value: ${name}`, () => {
    for (const [text, expected] of good) assert.deepEqual(read(text), expected, text);
    for (const text of bad) {
      let result;
      try {
        result = read(text);
      } catch (error) {
        assert.ok(error instanceof ValueError, text);
        assert.match(error.message, hint, text);
        continue;
      }
      assert.fail(`"${text}" was read as ${JSON.stringify(result)}`);
    }
  });
}

Deno.test("a path has no control characters", () => {
  for (const text of ["a\x00b", "a\x1bb", "a\rb", "\x7f"]) {
    assert.throws(() => value.path(text), ValueError);
  }
});
