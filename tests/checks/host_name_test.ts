/** Whether HOSTNAME leads to this machine. */

import { checkHostName } from "../../src/checks/host_name.ts";
import { type Expected, expectFinding, factsOf, NAT, type WorldOptions } from "./zone.ts";

const RECORD = ["mail.example.com.  A  192.0.2.1"];

const BOTH: WorldOptions = {
  addresses: ["127.0.0.1", "::1", "192.0.2.1", "2001:db8::1", "fe80::1"],
};
const BOTH_RECORDS = [...RECORD, "mail.example.com.  AAAA  2001:db8::1"];

const at = (...A: string[]): WorldOptions => ({ zone: { "mail.example.com": { A } } });

const CASES: readonly (readonly [what: string, world: WorldOptions, expected: Expected])[] = [
  ["a name of this machine", at("192.0.2.1"), {
    state: "good",
    is: /is 192\.0\.2\.1, this machine/,
  }],
  ["a name of both its addresses", {
    ...BOTH,
    zone: { "mail.example.com": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] } },
  }, { state: "good", is: /is 192\.0\.2\.1 and 2001:db8::1, this machine/ }],
  ["a name that does not exist", {}, {
    state: "wrong",
    is: /mail\.example\.com does not exist/,
    mend: RECORD,
  }],
  ["a name without addresses, and IPv6 here", {
    ...BOTH,
    zone: { "mail.example.com": { TXT: ["x"] } },
  }, { state: "wrong", is: /has no address/, mend: BOTH_RECORDS }],
  ["a name that leads elsewhere", at("192.0.2.99"), {
    state: "wrong",
    is: /is 192\.0\.2\.99; which is not this machine \(it has 192\.0\.2\.1\)/,
    mend: RECORD,
  }],
  ["a name with one address too many", at("192.0.2.1", "192.0.2.99"), {
    state: "wrong",
    is: /; 192\.0\.2\.99 is not this machine/,
    mend: RECORD,
  }],
  ["an IPv6 address of a machine that has none", {
    zone: { "mail.example.com": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] } },
  }, { state: "wrong", is: /; 2001:db8::1 is not this machine/, mend: RECORD }],
  ["a name of loopback", at("127.0.0.1"), {
    state: "wrong",
    is: /127\.0\.0\.1; which is not this machine/,
    mend: RECORD,
  }],
  ["an own address that is not listened on", {
    ...BOTH,
    listening: ["127.0.0.1", "192.0.2.1"],
    zone: { "mail.example.com": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] } },
  }, {
    state: "wrong",
    is: /LISTEN_ADDR does not listen on 2001:db8::1/,
    mend: ["LISTEN_ADDR = 0.0.0.0, 2001:db8::1"],
  }],
  ["a public address behind NAT", { ...NAT, ...at("192.0.2.1") }, {
    state: "unknown",
    is: /is 192\.0\.2\.1; this machine has 10\.0\.0\.5, .*NAT.*cannot be told from here/,
  }],
  ["no name behind NAT: which address is needed only the operator knows", NAT, {
    state: "wrong",
    is: /does not exist/,
  }],
  ["IPv4 alone behind NAT", {
    addresses: ["10.0.0.5", "2001:db8::1"],
    zone: { "mail.example.com": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] } },
  }, { state: "unknown", is: /cannot be told/ }],
  ["a private address that is this machine's", { ...NAT, ...at("10.0.0.5") }, {
    state: "note",
    is: /10\.0\.0\.5, this machine, which is seen in its own network alone/,
  }],
  ["a single label", { hostname: "mail" }, {
    state: "wrong",
    is: /HOSTNAME is mail, which other hosts cannot look up/,
    mend: ["HOSTNAME = mail.example.com"],
  }],
  ["a single label and no domain", { hostname: "mail", domains: [] }, {
    state: "wrong",
    is: /cannot look up/,
  }],
  ["a literal of this machine", { hostname: "[192.0.2.1]" }, {
    state: "good",
    is: /HOSTNAME is \[192\.0\.2\.1\], an address of this machine/,
  }],
  ["a literal of another machine", { hostname: "[192.0.2.9]" }, {
    state: "wrong",
    is: /not this machine's/,
    mend: ["HOSTNAME = [192.0.2.1]"],
  }],
  ["an IPv6 literal of another machine", {
    hostname: "[IPv6:2001:db8::9]",
    addresses: ["2001:db8::1"],
  }, { state: "wrong", is: /not this machine's/, mend: ["HOSTNAME = [IPv6:2001:db8::1]"] }],
  ["a literal behind NAT", { ...NAT, hostname: "[192.0.2.9]" }, {
    state: "unknown",
    is: /this machine has 10\.0\.0\.5.*NAT/,
  }],
  ["a literal of no IP address", { hostname: "[x400:c=gb]" }, {
    state: "wrong",
    is: /no IP address/,
    mend: ["HOSTNAME = [192.0.2.1]"],
  }],
];

for (const [what, world, expected] of CASES) {
  Deno.test(`host name: ${what}: ${expected.state}`, async () => {
    expectFinding(await checkHostName(factsOf(world)), expected);
  });
}
