/** The hosts for a domain as a real resolver finds them, by a name server on loopback. */

import assert from "node:assert/strict";
import { DnsResolver } from "../../src/relay/resolver.ts";
import { RouteError } from "../../src/relay/route.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { startNameServer, type Table } from "../support/name_server.ts";
import {
  factsOf,
  MAIL_LOOP,
  NAME_SERVER_TROUBLE,
  NO_SUCH_DOMAIN,
  NO_USABLE_HOST,
  NULL_MX,
  routeBy,
} from "./route_world.ts";

const A_TARGET = "a.test 192.0.2.1:25";
const B_TARGET = "b.test 192.0.2.2:25";

/** All targets, or the reply that says why there is none. */
async function routeByDns(table: Table, domain: string): Promise<string> {
  await using server = await startNameServer(table);
  const resolver = new DnsResolver({ nameServers: [server], families: ["A", "AAAA"] });
  try {
    return (await routeBy(factsOf(resolver), domain)).join(", ");
  } catch (error) {
    if (!(error instanceof RouteError)) throw error;
    return replyText(error.reply);
  }
}

const SIXTY = Array.from({ length: 60 }, (_, i) => [10, `mx${i}.test`] as const);

const HOSTS: Table = {
  "a.test": { A: ["192.0.2.1"] },
  "b.test": { A: ["192.0.2.2"] },
  "me.test": { A: ["192.0.2.99"] },
  "bare.test": {},
  "bad.test": "SERVFAIL",
};

const BY_DNS: readonly [what: string, table: Table, outcome: RegExp | string][] = [
  ["MX records (CL-1)", { "x.test": { MX: [[10, "A.test"]] } }, A_TARGET],
  [
    "a CNAME (CL-1)",
    { "x.test": { CNAME: "y.test" }, "y.test": { MX: [[1, "b.test"]] } },
    B_TARGET,
  ],
  ["no such domain (CL-2)", {}, NO_SUCH_DOMAIN],
  ["SERVFAIL (CL-2, BUG-25)", { "x.test": "SERVFAIL" }, NAME_SERVER_TROUBLE],
  ["REFUSED (CL-2, BUG-25)", { "x.test": "REFUSED" }, NAME_SERVER_TROUBLE],
  [
    "no MX record (CL-2)",
    { "x.test": { A: ["192.0.2.7"], AAAA: ["2001:db8::7"] } },
    [
      "x.test 192.0.2.7:25",
      "x.test 2001:db8::7:25",
    ].join(", "),
  ],
  [
    "SERVFAIL for MX beside an address (CL-2, BUG-25)",
    { "x.test": { MX: "SERVFAIL", A: ["192.0.2.7"] } },
    NAME_SERVER_TROUBLE,
  ],
  [
    "an MX host without an address (CL-3)",
    { "x.test": { MX: [[1, "bare.test"], [2, "gone.test"]], A: ["192.0.2.7"] } },
    NO_USABLE_HOST,
  ],
  [
    "an MX host that is no name (CL-3)",
    { "x.test": { MX: [[1, "a_b.test"]], A: ["192.0.2.7"] } },
    NO_USABLE_HOST,
  ],
  [
    "an MX host whose look-up fails (BUG-25)",
    { "x.test": { MX: [[1, "bad.test"]] } },
    NAME_SERVER_TROUBLE,
  ],
  [
    "preferences (CL-4)",
    { "x.test": { MX: [[20, "b.test"], [10, "a.test"]] } },
    `${A_TARGET}, ${B_TARGET}`,
  ],
  [
    "several addresses (CL-5)",
    { "x.test": { MX: [[1, "y.test"]] }, "y.test": { A: ["192.0.2.8", "192.0.2.7"] } },
    "y.test 192.0.2.8:25, y.test 192.0.2.7:25",
  ],
  [
    "an MX host that is a CNAME (CL-6)",
    { "x.test": { MX: [[1, "y.test"]] }, "y.test": { CNAME: "a.test" } },
    "y.test 192.0.2.1:25",
  ],
  [
    "this host in the list (CL-7)",
    { "x.test": { MX: [[10, "a.test"], [20, "ME.test"], [30, "b.test"]] } },
    A_TARGET,
  ],
  ["this host alone (CL-7)", { "x.test": { MX: [[10, "me.test"], [20, "b.test"]] } }, MAIL_LOOP],
  ["a null MX (CL-8, BUG-23)", { "x.test": { MX: [[0, "."]], A: ["192.0.2.7"] } }, NULL_MX],
  ["localhost (CL-9)", { "x.test": { MX: [[0, "localhost"]] } }, NO_USABLE_HOST],
  [
    "an address on loopback (CL-9)",
    { "x.test": { MX: [[0, "y.test"]] }, "y.test": { A: ["127.0.0.1"], AAAA: ["::1"] } },
    NO_USABLE_HOST,
  ],
  [
    "60 MX records",
    { "x.test": { MX: [...SIXTY, [1, "b.test"]] } },
    B_TARGET,
  ],
];

for (const [what, table, outcome] of BY_DNS) {
  Deno.test(`by DNS: ${what}`, async () => {
    const found = await routeByDns({ ...HOSTS, ...table }, "x.test");
    if (typeof outcome === "string") assert.equal(found, outcome);
    else assert.match(found, outcome);
  });
}

Deno.test("by DNS: a single label is not completed (CL-10)", async () => {
  assert.match(await routeByDns({ "sub.test": { A: ["192.0.2.1"] } }, "sub"), NO_SUCH_DOMAIN);
});

Deno.test("by DNS: nothing is asked about an address literal (CL-11)", async () => {
  await using server = await startNameServer();
  const resolver = new DnsResolver({ nameServers: [server], families: ["A"] });
  const targets = await routeBy(factsOf(resolver), "[192.0.2.1]");
  assert.deepEqual(targets, ["[192.0.2.1] 192.0.2.1:25"]);
  assert.deepEqual(server.questions, []);
});
