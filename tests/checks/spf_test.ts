/** Whether domains let mail leave from this machine, and the record that would. */

import { checkSpf } from "../../src/checks/spf.ts";
import { type Expected, expectFinding, type Zone, ZoneLookup } from "./zone.ts";

const HERE = ["192.0.2.1"];
const BOTH = ["192.0.2.1", "2001:db8::1"];

const OTHERS: Zone = {
  "mail.example.com": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] },
  "gone.example.com": { TXT: ["v=spf1 -all"] },
};

interface Case {
  readonly what: string;
  readonly records: readonly string[];
  readonly addresses?: readonly string[];
  readonly expected: Expected;
}

const record = (text: string) => [`example.com.  TXT  "${text}"`];

const CASES: readonly Case[] = [
  {
    what: "a record that admits the address",
    records: ["v=spf1 mx -all", "other text"],
    expected: { state: "good", is: /^"v=spf1 mx -all" admits 192\.0\.2\.1$/ },
  },
  {
    what: "a record that admits both addresses",
    records: ["v=spf1 mx -all"],
    addresses: BOTH,
    expected: { state: "good", is: /admits 192\.0\.2\.1 and 2001:db8::1/ },
  },
  {
    what: "no record",
    records: ["other text"],
    addresses: BOTH,
    expected: {
      state: "wrong",
      is: /example\.com has no SPF record/,
      mend: record("v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"),
    },
  },
  {
    what: "a record that admits another address alone",
    records: ["v=spf1 ip4:198.51.100.7 include:gone.example.com ~all"],
    expected: {
      state: "wrong",
      is: /does not admit 192\.0\.2\.1 \(softfail by ~all\)/,
      mend: record("v=spf1 ip4:192.0.2.1 ip4:198.51.100.7 include:gone.example.com ~all"),
    },
  },
  {
    what: "a record that admits one of two addresses",
    records: ["v=spf1 ip4:192.0.2.1 -all"],
    addresses: BOTH,
    expected: {
      state: "wrong",
      is: /does not admit 2001:db8::1 \(fail by -all\)/,
      mend: record("v=spf1 ip6:2001:db8::1 ip4:192.0.2.1 -all"),
    },
  },
  {
    what: "a record that goes on elsewhere",
    records: ["v=spf1 redirect=gone.example.com"],
    expected: {
      state: "wrong",
      is: /fail by -all/,
      mend: record("v=spf1 ip4:192.0.2.1 redirect=gone.example.com"),
    },
  },
  {
    what: "a record that says nothing of the address",
    records: ["v=spf1 a:gone.example.com"],
    expected: {
      state: "wrong",
      is: /neutral by the end of the record/,
      mend: record("v=spf1 ip4:192.0.2.1 a:gone.example.com"),
    },
  },
  {
    what: "two records, which become one",
    records: ["v=spf1 mx -all", "v=spf1 a mx ~all"],
    expected: {
      state: "wrong",
      is: /"v=spf1 mx -all" and "v=spf1 a mx ~all" is an error: example\.com has 2 SPF records/,
      mend: record("v=spf1 ip4:192.0.2.1 mx a -all"),
    },
  },
  {
    what: "a record with a slip of the pen",
    records: ["v=spf1 mx ipv4:192.0.2.1 -all"],
    expected: {
      state: "wrong",
      is: /is an error: "ipv4:192\.0\.2\.1" cannot be read/,
      mend: record("v=spf1 ip4:192.0.2.1 mx -all"),
    },
  },
  {
    what: "a record that goes on where no domain can be",
    records: ["v=spf1 redirect=nodots"],
    expected: {
      state: "wrong",
      is: /"redirect=nodots" cannot be read/,
      mend: record("v=spf1 ip4:192.0.2.1"),
    },
  },
  {
    what: "a record that goes on at two places",
    records: ["v=spf1 redirect=gone.example.com redirect=b.example"],
    expected: {
      state: "wrong",
      is: /redirect= stands there twice/,
      mend: record("v=spf1 ip4:192.0.2.1 redirect=gone.example.com"),
    },
  },
  {
    what: "two records that go on at two places, one of them none",
    records: [
      "v=spf1 exp=x mx redirect=nodots",
      "v=spf1 exp=e.example redirect=b.example exp=f.example",
    ],
    expected: {
      state: "wrong",
      is: /2 SPF records/,
      mend: record("v=spf1 ip4:192.0.2.1 mx redirect=b.example exp=e.example"),
    },
  },
  {
    what: "a record with an explanation that is none",
    records: ["v=spf1 exp=x -all"],
    expected: {
      state: "wrong",
      is: /"exp=x" cannot be read/,
      mend: record("v=spf1 ip4:192.0.2.1 -all"),
    },
  },
  {
    what: "a record with a macro that has a slash, which stays",
    records: ["v=spf1 -exists:%{d2/}.x.example -all"],
    expected: {
      state: "wrong",
      is: /fail by -all/,
      mend: record("v=spf1 ip4:192.0.2.1 -exists:%{d2/}.x.example -all"),
    },
  },
  {
    what: "an error behind what may match before it",
    records: ["v=spf1 exists:%{i}.example.com include:missing.example -all"],
    expected: { state: "unknown", is: /not evaluated here/ },
  },
  {
    what: "a record that hangs on more than the address",
    records: ["v=spf1 exists:%{i}.example.com -all"],
    expected: { state: "unknown", is: /has macros|not evaluated here/ },
  },
];

for (const { what, records, addresses = HERE, expected } of CASES) {
  Deno.test(`SPF: ${what}: ${expected.state}`, async () => {
    const lookup = new ZoneLookup({
      ...OTHERS,
      "example.com": { TXT: records, MX: [[10, "mail.example.com"]] },
    });
    expectFinding(await checkSpf("example.com", addresses, { lookup }), expected);
  });
}
