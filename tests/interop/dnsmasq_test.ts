/** dnsmasq, the resolver of many small machines, asked about names of its own and of others. */

import assert from "node:assert/strict";
import { DnsResolver, type NameServer, ResolverError } from "../../src/relay/resolver.ts";
import { startDnsmasq } from "../support/dnsmasq.ts";
import { startNameServer, type Table } from "../support/name_server.ts";
import { testWith } from "../support/programs.ts";

/** What dnsmasq knows by itself. Of other names below own.test it knows that they do not exist. */
const OWN = [
  "--local=/own.test/",
  "--mx-host=own.test,MX2.own.test,20",
  "--mx-host=own.test,mx1.own.test,10",
  "--host-record=mx1.own.test,192.0.2.1,2001:db8::1",
  "--host-record=bare.own.test,192.0.2.7",
  "--cname=alias.own.test,bare.own.test",
];

/** What it has to ask for. */
const FORWARDED: Table = {
  "x.test": { MX: [[10, "mx.x.test"]] },
  "null.test": { MX: [[0, "."]] },
  "alias.test": { CNAME: "x.test" },
  "dangling.test": { CNAME: "gone.test" },
  "many.test": { MX: Array.from({ length: 60 }, (_, i) => [i, `mail${i}.many.test`]) },
  "bare.test": { A: ["192.0.2.7"] },
  "four.test": { A: ["192.0.2.7"], AAAA: "SERVFAIL" },
  "failing.test": "SERVFAIL",
  "refusing.test": "REFUSED",
  "silent.test": "silence",
};

testWith(["dnsmasq"], "dnsmasq answers about its own names", async () => {
  await using dnsmasq = await startDnsmasq(OWN);
  const resolver = resolverOf(dnsmasq);
  const mx = await resolver.mx("own.test");
  assert.ok(mx.kind === "records");
  assert.deepEqual([...mx.records].sort((a, b) => a.preference - b.preference), [
    { preference: 10, exchange: "mx1.own.test" },
    { preference: 20, exchange: "mx2.own.test" },
  ]);
  assert.deepEqual(await resolver.addresses("mx1.own.test"), {
    kind: "records",
    records: ["192.0.2.1", "2001:db8::1"],
  });
  assert.deepEqual(await resolver.mx("bare.own.test"), { kind: "no data" });
  assert.deepEqual(await resolver.mx("gone.own.test"), { kind: "no such domain" });
  assert.deepEqual(await resolver.addresses("gone.own.test"), { kind: "no such domain" });
  const found = { kind: "records", records: ["192.0.2.7"] };
  assert.deepEqual(await resolver.addresses("bare.own.test"), found);
  assert.deepEqual(await resolver.addresses("alias.own.test"), found);
});

testWith(["dnsmasq"], "dnsmasq without anyone to ask is trouble (CL-2, BUG-25)", async () => {
  await using dnsmasq = await startDnsmasq(OWN);
  await assert.rejects(resolverOf(dnsmasq).mx("x.test"), ResolverError);
});

testWith(["dnsmasq"], "dnsmasq passes on what it is told (CL-1, CL-2, CL-8)", async () => {
  await using upstream = await startNameServer(FORWARDED);
  await using dnsmasq = await startDnsmasq([`--server=${upstream.host}#${upstream.port}`]);
  const resolver = resolverOf(dnsmasq);
  const x = { kind: "records", records: [{ preference: 10, exchange: "mx.x.test" }] };
  assert.deepEqual(await resolver.mx("x.test"), x);
  assert.deepEqual(await resolver.mx("alias.test"), x);
  assert.deepEqual(await resolver.mx("null.test"), {
    kind: "records",
    records: [{ preference: 0, exchange: "" }],
  });
  const many = await resolver.mx("many.test");
  assert.equal(many.kind === "records" && many.records.length, 60);
  assert.deepEqual(await resolver.mx("gone.test"), { kind: "no such domain" });
  assert.deepEqual(await resolver.mx("dangling.test"), { kind: "no such domain" });
  assert.deepEqual(await resolver.mx("bare.test"), { kind: "no data" });
  for (const name of ["bare.test", "four.test"]) {
    assert.deepEqual(await resolver.addresses(name), { kind: "records", records: ["192.0.2.7"] });
  }
});

for (const name of ["failing.test", "refusing.test", "silent.test"]) {
  testWith(
    ["dnsmasq"],
    `dnsmasq passes on trouble as trouble: ${name} (CL-2, BUG-25)`,
    async () => {
      await using upstream = await startNameServer(FORWARDED);
      await using dnsmasq = await startDnsmasq([`--server=${upstream.host}#${upstream.port}`]);
      const resolver = resolverOf(dnsmasq, 300);
      await assert.rejects(resolver.mx(name), ResolverError);
      await assert.rejects(resolver.addresses(name), ResolverError);
    },
  );
}

function resolverOf(server: NameServer, patience?: number): DnsResolver {
  const options = { nameServers: [server], families: ["A", "AAAA"] } as const;
  return new DnsResolver(patience === undefined ? options : { ...options, patience });
}
