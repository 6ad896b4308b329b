/** The checks' questions against a name server that can do what servers do, right and wrong. */

import assert from "node:assert/strict";
import { allAddresses, DnsLookup, UnreachableError } from "../../src/checks/lookup.ts";
import { systemClock } from "../../src/clock.ts";
import type { NameServer as Place } from "../../src/relay/dns.ts";
import { ResolverError } from "../../src/relay/resolver.ts";
import { type Behaviour, startNameServer, type Table } from "../support/name_server.ts";

/** Milliseconds to wait for a server that stays silent. Others answer long before, on any machine. */
const PATIENCE = 300;

function lookupAt(...nameServers: Place[]): DnsLookup {
  return new DnsLookup({ nameServers, clock: systemClock, patience: PATIENCE });
}

async function withTable<T>(table: Table, ask: (lookup: DnsLookup) => Promise<T>): Promise<T> {
  await using server = await startNameServer(table);
  return await ask(lookupAt(server));
}

Deno.test("records of every kind are found", async () => {
  const table: Table = {
    "x.test": {
      A: ["192.0.2.1"],
      AAAA: ["2001:DB8:0::1"],
      MX: [[10, "Mail.X.test"]],
      TXT: ["v=spf1 -all", `a${"b".repeat(600)}`],
    },
    "1.2.0.192.in-addr.arpa": { PTR: ["Mail.X.test"] },
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": {
      PTR: ["six.x.test"],
    },
    "alias.test": { CNAME: "x.test" },
  };
  await withTable(table, async (lookup) => {
    const records = (...records: unknown[]) => ({ kind: "records", records });
    assert.deepEqual(await lookup.addresses("X.test", "A"), records("192.0.2.1"));
    assert.deepEqual(await lookup.addresses("x.test", "AAAA"), records("2001:db8::1"));
    assert.deepEqual(await allAddresses(lookup, "x.test"), records("192.0.2.1", "2001:db8::1"));
    const mx = { preference: 10, exchange: "mail.x.test" };
    assert.deepEqual(await lookup.mx("x.test"), records(mx));
    const texts = records("v=spf1 -all", `a${"b".repeat(600)}`);
    assert.deepEqual(await lookup.txt("x.test"), texts);
    assert.deepEqual(await lookup.ptr("192.0.2.1"), records("mail.x.test"));
    assert.deepEqual(await lookup.ptr("2001:db8::1"), records("six.x.test"));
    assert.deepEqual(await lookup.txt("alias.test"), texts);
    assert.equal(await lookup.alias("alias.test"), "x.test");
    assert.equal(await lookup.alias("x.test"), undefined);
    assert.equal(await lookup.alias("gone.test"), undefined);
  });
});

Deno.test("no data and no such domain are told apart", async () => {
  await withTable({ "x.test": {} }, async (lookup) => {
    assert.deepEqual(await lookup.txt("x.test"), { kind: "no data" });
    assert.deepEqual(await lookup.txt("gone.test"), { kind: "no such domain" });
    assert.deepEqual(await lookup.ptr("192.0.2.1"), { kind: "no such domain" });
    assert.deepEqual(await allAddresses(lookup, "x.test"), { kind: "no data" });
  });
});

Deno.test("a name that DNS cannot hold does not exist, and nobody is asked", async () => {
  await using server = await startNameServer();
  const lookup = lookupAt(server);
  for (const name of [`${"a".repeat(64)}.test`, `${"a.".repeat(127)}test`, "a..test", ""]) {
    assert.deepEqual(await lookup.txt(name), { kind: "no such domain" });
    assert.equal(await lookup.alias(name), undefined);
  }
  assert.deepEqual(server.questions, []);
});

Deno.test("the same is asked once", async () => {
  await using server = await startNameServer({ "x.test": { TXT: ["a"] } });
  const lookup = lookupAt(server);
  await Promise.all([lookup.txt("x.test"), lookup.txt("X.test")]);
  await lookup.txt("x.test");
  assert.equal(server.questions.length, 1);
});

Deno.test("trouble with one name is no trouble with others", async () => {
  for (const behaviour of ["SERVFAIL", "REFUSED", "referral"] satisfies Behaviour[]) {
    const table: Table = { "bad.test": behaviour, "x.test": { TXT: ["a"] } };
    await withTable(table, async (lookup) => {
      await assert.rejects(lookup.txt("bad.test"), (error) => {
        return error instanceof ResolverError && !(error instanceof UnreachableError);
      });
      assert.deepEqual(await lookup.txt("x.test"), { kind: "records", records: ["a"] });
    });
  }
});

Deno.test("the next server is asked after trouble", async () => {
  await using failing = await startNameServer({ "x.test": "SERVFAIL" });
  await using good = await startNameServer({ "x.test": { TXT: ["a"] } });
  const answer = await lookupAt(failing, good).txt("x.test");
  assert.deepEqual(answer, { kind: "records", records: ["a"] });
});

Deno.test("trouble with one family leaves the other, and alone it is trouble", async () => {
  const table: Table = {
    "x.test": { A: ["192.0.2.1"], AAAA: "SERVFAIL" },
    "y.test": { A: "SERVFAIL" },
  };
  await withTable(table, async (lookup) => {
    const found = { kind: "records", records: ["192.0.2.1"] };
    assert.deepEqual(await allAddresses(lookup, "x.test"), found);
    await assert.rejects(allAddresses(lookup, "y.test"), ResolverError);
  });
});

Deno.test("a server that does not listen is unreachable, and so it is for every question", async () => {
  const gone = await startNameServer();
  await gone[Symbol.asyncDispose]();
  const lookup = lookupAt(gone);
  for (const name of ["x.test", "y.test"]) {
    await assert.rejects(lookup.txt(name), (error) => {
      return error instanceof UnreachableError &&
        error.message === `no name server answers: 127.0.0.1:${gone.port} (connection refused)`;
    });
  }
});

Deno.test("a server that has never answered is asked one thing alone", async () => {
  await using server = await startNameServer({ "x.test": "silence", "y.test": "silence" });
  const lookup = lookupAt(server);
  await assert.rejects(lookup.txt("x.test"), /no answer/);
  await assert.rejects(lookup.txt("y.test"), UnreachableError);
  assert.equal(server.questions.length, 1);
});

Deno.test("a server that did answer may fail to a few times", async () => {
  await using server = await startNameServer({
    "x.test": { TXT: ["a"], A: "close", AAAA: "close", MX: "close" },
  });
  const lookup = lookupAt(server);
  await lookup.txt("x.test");
  const silent = () => lookup.mx("x.test");
  await assert.rejects(silent, (error) => !(error instanceof UnreachableError));
  await assert.rejects(lookup.addresses("x.test", "A"), (error) => {
    return !(error instanceof UnreachableError);
  });
  await assert.rejects(lookup.addresses("x.test", "AAAA"), UnreachableError);
  await assert.rejects(lookup.ptr("192.0.2.1"), UnreachableError);
  assert.equal(server.questions.length, 4);
});

Deno.test("a circle of CNAMEs is trouble and not waited for", async () => {
  const table: Table = {
    "a.test": { CNAME: "b.test", unfollowed: true },
    "b.test": { CNAME: "a.test", unfollowed: true },
  };
  await withTable(table, (lookup) => assert.rejects(lookup.txt("a.test"), ResolverError));
});
