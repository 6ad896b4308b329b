/** Whether a domain's mail comes to this machine. */

import { checkMx } from "../../src/checks/mx.ts";
import {
  type Expected,
  expectFinding,
  factsOf,
  NAT,
  type WorldOptions,
  type Zone,
} from "./zone.ts";

const HOST: Zone = { "mail.example.com": { A: ["192.0.2.1"] } };
const OTHER: Zone = { "mx.other.example": { A: ["198.51.100.7"] } };

const RECORD = ["example.com.  MX  10 mail.example.com."];

interface Case {
  readonly what: string;
  readonly world: WorldOptions;
  /** example.com where nothing is said. */
  readonly domain?: string;
  readonly expected: Expected;
}

function mx(...MX: (readonly [number, string])[]): WorldOptions {
  return { zone: { ...HOST, ...OTHER, "example.com": { MX } } };
}

const CASES: readonly Case[] = [
  {
    what: "HOSTNAME",
    world: mx([10, "mail.example.com"]),
    expected: { state: "good", is: /^example\.com has MX 10 mail\.example\.com, HOSTNAME$/ },
  },
  {
    what: "another name of this machine",
    world: {
      zone: {
        "example.com": { MX: [[5, "mx.example.com"]] },
        "mx.example.com": { A: ["192.0.2.1"] },
      },
    },
    expected: { state: "good", is: /this machine/ },
  },
  {
    what: "this machine and another one",
    world: mx([20, "mx.other.example"], [10, "mail.example.com"]),
    expected: { state: "good", is: /MX 10 mail\.example\.com and 20 mx\.other\.example/ },
  },
  {
    what: "no record",
    world: { zone: { ...HOST, "example.com": {} } },
    expected: {
      state: "wrong",
      is: /example\.com has neither an MX record nor an address/,
      mend: RECORD,
    },
  },
  {
    what: "no such domain",
    world: { zone: HOST },
    expected: { state: "wrong", is: /does not exist/, mend: RECORD },
  },
  {
    what: "no record, but an address of this machine",
    world: { zone: { ...HOST, "example.com": { A: ["192.0.2.1"] } } },
    expected: { state: "good", is: /no MX record, so its address 192\.0\.2\.1 counts/ },
  },
  {
    what: "no record, and an address elsewhere",
    world: { zone: { ...HOST, "example.com": { A: ["198.51.100.7"] } } },
    expected: { state: "wrong", is: /198\.51\.100\.7 counts, which is not this/, mend: RECORD },
  },
  {
    what: "another machine alone",
    world: mx([20, "mx.other.example"]),
    expected: {
      state: "wrong",
      is: /none of them leads to this machine/,
      mend: ["example.com.  MX  20 mail.example.com."],
    },
  },
  {
    what: "a CNAME (RFC 2181 10.3)",
    world: {
      zone: {
        ...HOST,
        "example.com": { MX: [[10, "www.example.com"]] },
        "www.example.com": { CNAME: "mail.example.com" },
      },
    },
    expected: {
      state: "wrong",
      is: /www\.example\.com is a CNAME of mail\.example\.com/,
      mend: RECORD,
    },
  },
  {
    what: "HOSTNAME, which is a CNAME",
    world: {
      zone: {
        "example.com": { MX: [[10, "mail.example.com"]] },
        "mail.example.com": { CNAME: "a.example.com" },
        "a.example.com": { A: ["192.0.2.1"] },
      },
    },
    expected: {
      state: "wrong",
      is: /mail\.example\.com is a CNAME/,
      mend: ["mail.example.com.  A  192.0.2.1"],
    },
  },
  {
    what: "an address (RFC 5321 5.1)",
    world: mx([10, "192.0.2.1"]),
    expected: { state: "wrong", is: /192\.0\.2\.1 is an address/, mend: RECORD },
  },
  {
    what: "the null MX (RFC 7505)",
    world: mx([0, ""]),
    expected: { state: "wrong", is: /MX 0 \.; that is the null MX/, mend: RECORD },
  },
  {
    what: "the null MX beside another",
    world: mx([0, ""], [10, "mail.example.com"]),
    expected: { state: "wrong", is: /must stand alone/, mend: RECORD },
  },
  {
    what: "a name that does not exist",
    world: mx([10, "gone.example.com"]),
    expected: { state: "wrong", is: /gone\.example\.com does not exist/, mend: RECORD },
  },
  {
    what: "HOSTNAME, which does not exist: the record is right, the host name is not",
    world: { zone: { "example.com": { MX: [[10, "mail.example.com"]] } } },
    expected: { state: "good", is: /mail\.example\.com, HOSTNAME/ },
  },
  {
    what: "a public name behind NAT",
    world: { ...mx([10, "mx.other.example"]), ...NAT },
    expected: { state: "unknown", is: /this machine has 10\.0\.0\.5/ },
  },
  {
    what: "HOSTNAME behind NAT",
    world: { ...mx([10, "mail.example.com"]), ...NAT },
    expected: { state: "good", is: /mail\.example\.com, HOSTNAME/ },
  },
  {
    what: "no record of HOSTNAME itself, whose address counts",
    world: { zone: HOST },
    domain: "mail.example.com",
    expected: { state: "note", is: /no MX record, so the host name's address counts/ },
  },
  {
    what: "another machine for HOSTNAME itself",
    world: { zone: { ...OTHER, "mail.example.com": { MX: [[10, "mx.other.example"]] } } },
    domain: "mail.example.com",
    expected: {
      state: "wrong",
      is: /none of them/,
      mend: ["mail.example.com.  MX  10 mail.example.com."],
    },
  },
  {
    what: "nothing, and HOSTNAME is an address: the host gets a name",
    world: { hostname: "[192.0.2.1]" },
    expected: {
      state: "wrong",
      is: /not exist/,
      mend: ["example.com.  MX  10 mail.example.com.", "mail.example.com.  A  192.0.2.1"],
    },
  },
  {
    what: "an own address that is not listened on",
    world: {
      zone: {
        "example.com": { MX: [[10, "mx.example.com"]] },
        "mx.example.com": { A: ["192.0.2.1"] },
      },
      addresses: ["192.0.2.1", "192.0.2.2"],
      listening: ["192.0.2.2"],
    },
    expected: { state: "wrong", is: /not where LISTEN_ADDR listens/, mend: RECORD },
  },
];

for (const { what, world, domain = "example.com", expected } of CASES) {
  Deno.test(`MX is ${what}: ${expected.state}`, async () => {
    expectFinding(await checkMx(domain, factsOf(world)), expected);
  });
}
