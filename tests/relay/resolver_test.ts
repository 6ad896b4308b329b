/** The resolver against a name server that can do what servers do, right and wrong. */

import assert from "node:assert/strict";
import { type DnsOptions, DnsResolver, ResolverError } from "../../src/relay/resolver.ts";
import {
  type Behaviour,
  type Entry,
  type NameServer,
  startNameServer,
  type Table,
} from "../support/name_server.ts";

/** Milliseconds to wait for a server that stays silent. Others answer long before, on any machine. */
const PATIENCE = 200;

const BOTH = ["A", "AAAA"] as const;
const X_MX = { MX: [[10, "mx.x.test"]] } as const;
const X_RECORDS = { kind: "records", records: [{ preference: 10, exchange: "mx.x.test" }] };

function resolverOf(server: NameServer, options: Partial<DnsOptions> = {}): DnsResolver {
  return new DnsResolver({ nameServers: [server], families: BOTH, ...options });
}

/** One server with this table, and what a resolver that knows no other says. */
async function mx(table: Table, name: string) {
  await using server = await startNameServer(table);
  return await resolverOf(server).mx(name);
}

async function addresses(table: Table, name: string, families: DnsOptions["families"] = BOTH) {
  await using server = await startNameServer(table);
  return await resolverOf(server, { families }).addresses(name);
}

Deno.test("MX records come with lower case names and without the last dot (CL-1)", async () => {
  const table: Table = { "x.test": { MX: [[20, "MX2.X.test"], [10, "mx1.x.test"]] } };
  assert.deepEqual(await mx(table, "x.test"), {
    kind: "records",
    records: [
      { preference: 20, exchange: "mx2.x.test" },
      { preference: 10, exchange: "mx1.x.test" },
    ],
  });
});

Deno.test("a name is asked for in any case", async () => {
  assert.deepEqual(await mx({ "x.test": X_MX }, "X.Test"), X_RECORDS);
});

Deno.test("a null MX is the root's empty name (CL-8)", async () => {
  const answer = await mx({ "x.test": { MX: [[0, "."]] } }, "x.test");
  assert.deepEqual(answer, { kind: "records", records: [{ preference: 0, exchange: "" }] });
});

Deno.test("an exchange with an international name comes as it is on the wire", async () => {
  const answer = await mx({ "x.test": { MX: [[1, "xn--mller-kva.test"]] } }, "x.test");
  assert.deepEqual(answer, {
    kind: "records",
    records: [{ preference: 1, exchange: "xn--mller-kva.test" }],
  });
});

Deno.test("exchanges that are no domain names are kept, so the set does not look empty (CL-3)", async () => {
  const answer = await mx({ "x.test": { MX: [[1, "a_b.x.test"], [2, "_"]] } }, "x.test");
  assert.deepEqual(answer, {
    kind: "records",
    records: [{ preference: 1, exchange: "a_b.x.test" }, { preference: 2, exchange: "_" }],
  });
});

Deno.test("60 MX records do not fit into UDP and come over TCP", async () => {
  const records = Array.from({ length: 60 }, (_, i) => [i, `mail${i}.x.test`] as const);
  const answer = await mx({ "x.test": { MX: records } }, "x.test");
  assert.equal(answer.kind === "records" && answer.records.length, 60);
});

Deno.test("a truncated answer is asked for over TCP", async () => {
  await using server = await startNameServer({ "x.test": { ...X_MX, truncated: true } });
  assert.deepEqual(await resolverOf(server).mx("x.test"), X_RECORDS);
  assert.deepEqual(server.questions.map(({ over }) => over), ["UDP", "TCP"]);
});

for (const unfollowed of [false, true]) {
  const how = unfollowed ? "the server answers alone" : "the server follows";
  const alias = (name: string): Entry => ({ CNAME: name, unfollowed });

  Deno.test(`the MX records behind a CNAME that ${how} are found (CL-1)`, async () => {
    const table = { "a.test": alias("b.test"), "b.test": alias("x.test"), "x.test": X_MX };
    assert.deepEqual(await mx(table, "a.test"), X_RECORDS);
  });

  Deno.test(`no data behind a CNAME that ${how} is no data (CL-1, CL-2)`, async () => {
    const table = { "a.test": alias("x.test"), "x.test": { A: ["192.0.2.1"] } };
    assert.deepEqual(await mx(table, "a.test"), { kind: "no data" });
    assert.deepEqual(await addresses(table, "a.test"), { kind: "records", records: ["192.0.2.1"] });
  });

  Deno.test(`a CNAME to nowhere that ${how} is no such domain (CL-1, CL-2)`, async () => {
    assert.deepEqual(await mx({ "a.test": alias("gone.test") }, "a.test"), {
      kind: "no such domain",
    });
  });

  Deno.test(`trouble behind a CNAME that ${how} is trouble (CL-1, CL-2)`, async () => {
    const table: Table = { "a.test": alias("x.test"), "x.test": "SERVFAIL" };
    await assert.rejects(mx(table, "a.test"), ResolverError);
  });
}

Deno.test("a circle of CNAMEs is trouble and not waited for", async () => {
  const circle: Table = {
    "a.test": { CNAME: "b.test", unfollowed: true },
    "b.test": { CNAME: "a.test", unfollowed: true },
  };
  await assert.rejects(mx(circle, "a.test"), /circle/);
});

Deno.test("a name that is not there is no such domain (CL-2)", async () => {
  assert.deepEqual(await mx({}, "x.test"), { kind: "no such domain" });
  assert.deepEqual(await addresses({}, "x.test"), { kind: "no such domain" });
});

Deno.test("a name without the records asked for is no data (CL-2)", async () => {
  assert.deepEqual(await mx({ "x.test": {} }, "x.test"), { kind: "no data" });
  assert.deepEqual(await addresses({ "x.test": X_MX }, "x.test"), { kind: "no data" });
});

Deno.test("a name longer than DNS can hold does not exist, and nobody is asked", async () => {
  await using server = await startNameServer();
  const name = `${"a".repeat(61)}.`.repeat(4) + "a.test";
  assert.equal(name.length, 254);
  assert.deepEqual(await resolverOf(server).mx(name), { kind: "no such domain" });
  assert.deepEqual(server.questions, []);
});

Deno.test("a name that Deno takes for none is asked for all the same", async () => {
  const table: Table = { "xn--a.test": { ...X_MX, A: ["192.0.2.1"] } };
  assert.deepEqual(await mx(table, "xn--a.test"), X_RECORDS);
  const found = { kind: "records", records: ["192.0.2.1"] };
  assert.deepEqual(await addresses(table, "xn--a.test"), found);
});

/** Over UDP these are like silence: Deno passes over what does not fit, in words on standard error. */
const MISFITS: readonly Behaviour[] = ["garbage", "wrong id", "wrong name"];

const TROUBLE: readonly Behaviour[] = [
  "SERVFAIL",
  "REFUSED",
  "FORMERR",
  "referral",
  "not recursive",
  "silence",
  "close",
];

for (const behaviour of TROUBLE) {
  Deno.test(`trouble is neither no data nor no such domain: ${behaviour} (CL-2, BUG-25)`, async () => {
    await using server = await startNameServer({ "x.test": behaviour });
    const resolver = resolverOf(server, { patience: PATIENCE });
    const questions = [resolver.mx("x.test"), resolver.addresses("x.test")];
    for (const outcome of await Promise.allSettled(questions)) {
      assert.ok(outcome.status === "rejected" && outcome.reason instanceof ResolverError);
    }
  });

  Deno.test(`another server is asked after trouble: ${behaviour}`, async () => {
    await using first = await startNameServer({ "x.test": behaviour });
    await using second = await startNameServer({ "x.test": X_MX });
    const resolver = resolverOf(first, { nameServers: [first, second], patience: PATIENCE });
    assert.deepEqual(await resolver.mx("x.test"), X_RECORDS);
  });
}

for (const behaviour of [...TROUBLE, ...MISFITS]) {
  Deno.test(`an absence is not believed where TCP tells of trouble: ${behaviour} (BUG-25)`, async () => {
    await using server = await startNameServer({ "x.test": { overTcp: behaviour } });
    const resolver = resolverOf(server, { patience: PATIENCE });
    await assert.rejects(resolver.mx("x.test"), ResolverError);
  });
}

Deno.test("records that only TCP has are taken", async () => {
  assert.deepEqual(await mx({ "x.test": { overTcp: X_MX } }, "x.test"), X_RECORDS);
  const table = { "x.test": { overTcp: { CNAME: "y.test" } }, "y.test": { A: ["192.0.2.1"] } };
  const found = { kind: "records", records: ["192.0.2.1"] };
  assert.deepEqual(await addresses(table, "x.test", ["A"]), found);
});

Deno.test("a name server that does not listen is trouble, and the next one is asked", async () => {
  const gone = await startNameServer();
  await gone[Symbol.asyncDispose]();
  const options = { families: BOTH, patience: PATIENCE };
  await assert.rejects(
    new DnsResolver({ nameServers: [gone], ...options }).mx("x.test"),
    (error) => error instanceof ResolverError && error.message.includes(`127.0.0.1:${gone.port}`),
  );
  await using server = await startNameServer({ "x.test": X_MX });
  const resolver = new DnsResolver({ nameServers: [gone, server], ...options });
  assert.deepEqual(await resolver.mx("x.test"), X_RECORDS);
});

Deno.test("a silent server is asked again, one that answers badly is not", async () => {
  await using silent = await startNameServer({ "x.test": "silence" });
  await using failing = await startNameServer({ "x.test": "SERVFAIL" });
  const resolver = resolverOf(silent, { nameServers: [silent, failing], patience: PATIENCE });
  await assert.rejects(resolver.mx("x.test"), /no answer.*SERVFAIL/);
  assert.deepEqual(silent.questions.map(({ over }) => over), ["UDP", "UDP", "UDP"]);
  assert.deepEqual(failing.questions.map(({ over }) => over), ["UDP", "TCP"]);
});

Deno.test("IPv4 addresses come first, each family in the server's order (CL-5)", async () => {
  const both = { A: ["192.0.2.2", "192.0.2.1"], AAAA: ["2001:db8::2", "2001:db8::1"] };
  assert.deepEqual(await addresses({ "x.test": both }, "x.test", ["AAAA", "A"]), {
    kind: "records",
    records: ["192.0.2.2", "192.0.2.1", "2001:db8::2", "2001:db8::1"],
  });
});

Deno.test("only the families that are of use are asked for", async () => {
  await using server = await startNameServer({ "x.test": { AAAA: ["2001:db8::1"] } });
  const resolver = resolverOf(server, { families: ["A"] });
  assert.deepEqual(await resolver.addresses("x.test"), { kind: "no data" });
  assert.deepEqual([...new Set(server.questions.map(({ type }) => type))], ["A"]);
});

Deno.test("trouble with one family does not hide the other's addresses", async () => {
  const table: Table = {
    "four.test": { A: ["192.0.2.1"], AAAA: "SERVFAIL" },
    "six.test": { A: "SERVFAIL", AAAA: ["2001:db8::1"] },
  };
  const four = { kind: "records", records: ["192.0.2.1"] };
  assert.deepEqual(await addresses(table, "four.test"), four);
  const six = { kind: "records", records: ["2001:db8::1"] };
  assert.deepEqual(await addresses(table, "six.test"), six);
});

Deno.test("no data in one family and trouble with the other is trouble (CL-2, BUG-25)", async () => {
  await assert.rejects(addresses({ "x.test": { AAAA: "SERVFAIL" } }, "x.test"), ResolverError);
});

Deno.test("a name that exists for one family is no such domain for none", async () => {
  assert.deepEqual(await addresses({ "x.test": { A: "NXDOMAIN" } }, "x.test"), { kind: "no data" });
});

Deno.test("each TXT record is one text, a character for each octet", async () => {
  const texts = ["v=STSv1; id=20261122;", "a".repeat(300), "caf\u00c3\u00a9 \u00ff", ""];
  for (const overTcp of [false, true]) {
    const entry: Entry = overTcp ? { overTcp: { TXT: texts } } : { TXT: texts };
    await using server = await startNameServer({ "_mta-sts.x.test": entry });
    const answer = await resolverOf(server).txt("_mta-sts.X.test");
    assert.deepEqual(answer, { kind: "records", records: texts });
  }
});

Deno.test("TXT records are found behind a CNAME", async () => {
  const table: Table = {
    "_mta-sts.a.test": { CNAME: "_mta-sts.x.test", unfollowed: true },
    "_mta-sts.x.test": { TXT: ["v=STSv1; id=1"] },
  };
  await using server = await startNameServer(table);
  const answer = await resolverOf(server).txt("_mta-sts.a.test");
  assert.deepEqual(answer, { kind: "records", records: ["v=STSv1; id=1"] });
});

Deno.test("no TXT record is no data, trouble with it is trouble", async () => {
  await using server = await startNameServer({ "x.test": X_MX, "y.test": { TXT: "SERVFAIL" } });
  assert.deepEqual(await resolverOf(server).txt("x.test"), { kind: "no data" });
  assert.deepEqual(await resolverOf(server).txt("z.test"), { kind: "no such domain" });
  await assert.rejects(resolverOf(server).txt("y.test"), ResolverError);
});

Deno.test("a single label is asked for as it is, whatever this machine's search list (CL-10)", async () => {
  await using server = await startNameServer({ "sub": X_MX });
  assert.deepEqual(await resolverOf(server).mx("sub"), X_RECORDS);
  assert.deepEqual(await resolverOf(server).mx("other"), { kind: "no such domain" });
  assert.deepEqual([...new Set(server.questions.map(({ name }) => name))], ["sub", "other"]);
});
