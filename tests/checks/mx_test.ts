/** Whether a domain's mail comes to this machine. */

import assert from "node:assert/strict";
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
  /** What must be said of how it should be. */
  readonly should?: RegExp;
  /** For whom the mend is not all there is to do: nobody here knows the public address. */
  readonly natted?: true;
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
      mend: RECORD,
    },
    should: /^an MX record with HOSTNAME, .*; 20 mx\.other\.example is to be removed$/,
  },
  {
    what: "two other machines",
    world: mx([10, "mx.other.example"], [20, "mx2.other.example"]),
    expected: {
      state: "wrong",
      is: /mx2\.other\.example does not exist/,
      mend: RECORD,
    },
    should: /; 10 mx\.other\.example and 20 mx2\.other\.example are to be removed$/,
  },
  {
    what: "HOSTNAME and a name that does not exist",
    world: mx([10, "mail.example.com"], [20, "gone.example.com"]),
    expected: { state: "wrong", is: /gone\.example\.com does not exist/, mend: RECORD },
    should: /^20 gone\.example\.com is to be removed$/,
  },
  {
    what: "a name that does not exist, HOSTNAME and another machine, which stays",
    world: mx([5, "gone.example.com"], [7, "mail.example.com"], [20, "mx.other.example"]),
    expected: {
      state: "wrong",
      is: /gone\.example\.com does not exist/,
      mend: ["example.com.  MX  7 mail.example.com.", "example.com.  MX  20 mx.other.example."],
    },
    should: /^5 gone\.example\.com is to be removed$/,
  },
  {
    what: "a name that does not exist and another machine",
    world: mx([5, "gone.example.com"], [20, "mx.other.example"]),
    expected: { state: "wrong", is: /gone\.example\.com does not exist/, mend: RECORD },
    should: /; 5 gone\.example\.com and 20 mx\.other\.example are to be removed$/,
  },
  {
    what: "HOSTNAME and a CNAME",
    world: {
      zone: {
        ...HOST,
        "example.com": { MX: [[10, "mail.example.com"], [20, "www.example.com"]] },
        "www.example.com": { CNAME: "mail.example.com" },
      },
    },
    expected: { state: "wrong", is: /www\.example\.com is a CNAME/, mend: RECORD },
    should: /^20 www\.example\.com is to be removed$/,
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
    should: /^mail\.example\.com with addresses of its own instead of the CNAME$/,
  },
  {
    what: "HOSTNAME, which is a CNAME, and a name that does not exist",
    world: {
      zone: {
        "example.com": { MX: [[10, "mail.example.com"], [20, "gone.example.com"]] },
        "mail.example.com": { CNAME: "a.example.com" },
        "a.example.com": { A: ["192.0.2.1"] },
      },
    },
    expected: {
      state: "wrong",
      is: /mail\.example\.com is a CNAME.*; gone\.example\.com does not exist/,
      mend: [...RECORD, "mail.example.com.  A  192.0.2.1"],
    },
    should: /instead of the CNAME; 20 gone\.example\.com is to be removed$/,
  },
  {
    what: "HOSTNAME, which is a CNAME, behind NAT",
    world: {
      ...NAT,
      zone: {
        "example.com": { MX: [[10, "mail.example.com"]] },
        "mail.example.com": { CNAME: "a.example.com" },
        "a.example.com": { A: ["192.0.2.1"] },
      },
    },
    expected: { state: "wrong", is: /mail\.example\.com is a CNAME/ },
    should: /instead of the CNAME$/,
    natted: true,
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
    should: /; 0 \. is to be removed$/,
  },
  {
    what: "the null MX beside another",
    world: mx([0, ""], [10, "mail.example.com"]),
    expected: { state: "wrong", is: /must stand alone/, mend: RECORD },
    should: /^0 \. is to be removed$/,
  },
  {
    what: "a name that does not exist",
    world: mx([10, "gone.example.com"]),
    expected: { state: "wrong", is: /gone\.example\.com does not exist/, mend: RECORD },
    should: /^an MX record with HOSTNAME, .*; 10 gone\.example\.com is to be removed$/,
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
    what: "a public name behind NAT, and a name that does not exist",
    world: { ...mx([10, "mx.other.example"], [20, "gone.example.com"]), ...NAT },
    expected: {
      state: "wrong",
      is: /gone\.example\.com does not exist/,
      mend: ["example.com.  MX  10 mx.other.example."],
    },
    should: /^20 gone\.example\.com is to be removed$/,
    natted: true,
  },
  {
    what: "nothing, and HOSTNAME is an address behind NAT",
    world: { ...NAT, hostname: "[192.0.2.1]" },
    expected: { state: "wrong", is: /not exist/, mend: RECORD },
    should: /^an MX record with a name .*, and its A record with the public address/,
    natted: true,
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
    what: "a name without an address, and HOSTNAME is an address: the name gets one",
    world: {
      hostname: "[192.0.2.1]",
      zone: { "example.com": { MX: [[10, "mail.example.com"]] }, "mail.example.com": {} },
    },
    expected: {
      state: "wrong",
      is: /mail\.example\.com has no address/,
      mend: ["mail.example.com.  A  192.0.2.1"],
    },
    should: /^an MX record with a name that leads to this machine$/,
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

for (const { what, world, domain = "example.com", expected, should } of CASES) {
  Deno.test(`MX is ${what}: ${expected.state}`, async () => {
    const finding = await checkMx(domain, factsOf(world));
    expectFinding(finding, expected);
    if (should) assert.match(finding.should ?? "", should);
  });
}

/** The zone after somebody did what is said: the records of each name and type are those listed. */
function afterwards(zone: Zone, mend: readonly string[]): Zone {
  const changed: Record<string, Zone[string]> = { ...zone };
  const MX = new Map<string, [number, string][]>();
  for (const line of mend) {
    const [, name = "", type, value = ""] = /^(\S+)\. {2}(A|MX) {2}(.*)$/.exec(line) ?? [];
    if (type === "A") changed[name] = { A: [value] };
    const [preference, exchange = ""] = value.split(" ");
    if (type !== "MX") continue;
    const records = MX.get(name) ?? MX.set(name, []).get(name)!;
    records.push([Number(preference), exchange.slice(0, -1)]);
    changed[name] = { ...changed[name], MX: records };
  }
  return changed;
}

for (const { what, world, domain = "example.com", expected, natted } of CASES) {
  if (expected.state !== "wrong" || natted) continue;
  Deno.test(`MX is ${what}: good as soon as it is mended`, async () => {
    const { mend = [] } = await checkMx(domain, factsOf(world));
    const zone = afterwards(world.zone ?? {}, mend);
    const { state, is } = await checkMx(domain, factsOf({ ...world, zone }));
    assert.equal(state, "good", is);
  });
}
