/** Policies in a file: what comes back of them, and what a disk that fails does to that. */

import assert from "node:assert/strict";
import { Spool } from "../../src/queue/spool.ts";
import {
  type HeldPolicies,
  type HeldPolicy,
  SpooledStsMemory,
} from "../../src/relay/sts_memory.ts";
import { parseStsPolicy, printStsPolicy } from "../../src/relay/sts_policy.ts";
import { bytesOf, newSpool } from "../queue/spooled.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { MemoryDisk } from "../support/memory_disk.ts";

const FILE = "/spool/policies.json";
const FETCHED = Date.UTC(2026, 10, 22, 12);

const held = (rest: Partial<HeldPolicy> = {}): HeldPolicy => ({
  id: "20261122a",
  policy: { mode: "enforce", mx: ["m1.x.test", "*.y.test"], maxAge: 604800 },
  fetched: FETCHED,
  ...rest,
});

async function setUp() {
  const log = new CollectingLog();
  const { disk, spool } = await newSpool(new MemoryDisk(), "relay-1-");
  return { disk, log, memory: new SpooledStsMemory(spool, log) };
}

/** What the next relay finds. */
async function recalled(disk: MemoryDisk, log = new CollectingLog()): Promise<HeldPolicies> {
  return await new SpooledStsMemory(new Spool(disk, "/spool", "relay-2-"), log).recall();
}

Deno.test("what was kept comes back whole and in its order", async () => {
  const { disk, log, memory } = await setUp();
  const policies = new Map([
    ["y.test", held()],
    ["x.test", held({ id: "2", policy: { mode: "testing", mx: ["m.test"], maxAge: 0 } })],
    ["a.test", held({ policy: { mode: "none", mx: [], maxAge: 86400 } })],
  ]);
  memory.keep(policies);
  await memory.settled();
  assert.deepEqual([...await recalled(disk, log)], [...policies]);
  assert.deepEqual(log.all, []);
});

Deno.test("where nothing was kept there is nothing, and nothing to tell", async () => {
  const { log, memory } = await setUp();
  assert.equal((await memory.recall()).size, 0);
  assert.deepEqual(log.all, []);
});

Deno.test("the file is written anew beside the queue, synced, and then put in its place", async () => {
  const { disk, memory } = await setUp();
  memory.keep(new Map([["x.test", held()]]));
  await memory.settled();
  const temporary = "/spool/tmp/relay-1-1-policies.json";
  assert.deepEqual(disk.operations, [
    `create ${temporary}`,
    `write ${temporary}`,
    `sync ${temporary}`,
    `rename ${temporary} ${FILE}`,
    "syncDirectory /spool",
  ]);
});

Deno.test("of what is to be kept while the disk is busy only the last is written", async () => {
  const { disk, memory } = await setUp();
  for (let i = 1; i <= 10; i++) memory.keep(new Map([[`x${i}.test`, held()]]));
  await memory.settled();
  assert.equal(disk.operations.filter((one) => one.startsWith("rename ")).length, 2);
  assert.deepEqual([...(await recalled(disk)).keys()], ["x10.test"]);
});

for (const operation of ["create", "write", "sync", "rename", "syncDirectory"]) {
  Deno.test(`a disk that fails at ${operation} is told of once, and the old file or the new one stays`, async () => {
    const { disk, log, memory } = await setUp();
    memory.keep(new Map([["x.test", held()]]));
    await memory.settled();
    disk.before = (one) => {
      if (one.startsWith(`${operation} `)) throw new Error("no space");
    };
    for (let i = 1; i <= 3; i++) {
      memory.keep(new Map([["y.test", held()]]));
      await memory.settled();
    }
    const failure = {
      level: "warn",
      event: "policies not kept",
      fields: { file: FILE, error: "no space" },
    };
    assert.deepEqual(log.all, [failure]);
    disk.before = () => {};
    const names = operation === "syncDirectory" ? ["y.test"] : ["x.test"];
    assert.deepEqual([...(await recalled(disk)).keys()], names);
    assert.deepEqual([...disk.files.keys()], [FILE]);
    memory.keep(new Map([["z.test", held()]]));
    await memory.settled();
    assert.deepEqual([...(await recalled(disk)).keys()], ["z.test"]);
    assert.equal(log.all.length, 1);
  });
}

Deno.test("a file that cannot be read is told of, and nothing is remembered", async () => {
  const { disk, log, memory } = await setUp();
  disk.before = () => {
    throw new Deno.errors.PermissionDenied("not yours");
  };
  assert.equal((await memory.recall()).size, 0);
  assert.deepEqual(log.fieldsOf("policies not read"), [{ file: FILE, error: "not yours" }]);
});

for (const Failure of [Deno.errors.PermissionDenied, Error]) {
  Deno.test(`a file that the disk keeps back (${Failure.name}) is not written over, and what is in it joins what is new`, async () => {
    const { disk, log, memory } = await setUp();
    memory.keep(new Map([["x.test", held()], ["y.test", held()]]));
    await memory.settled();
    const second = new SpooledStsMemory(new Spool(disk, "/spool", "relay-2-"), log);
    disk.before = (operation) => {
      if (operation.startsWith("read ")) throw new Failure("too many open files");
    };
    assert.equal((await second.recall()).size, 0);
    for (let i = 1; i <= 2; i++) {
      second.keep(new Map([["y.test", held({ id: "new" })]]));
      await second.settled();
    }
    assert.deepEqual(log.all.map(({ event }) => event), [
      "policies not read",
      "policies not kept",
    ]);
    disk.before = () => {};
    assert.deepEqual([...(await recalled(disk)).keys()], ["x.test", "y.test"]);
    // The relay does not know of x.test.
    for (const others of [[], ["z.test"]]) {
      const names = ["y.test", ...others];
      second.keep(new Map(names.map((name) => [name, held({ id: "new" })])));
      await second.settled();
      const ids = [...await recalled(disk)].map(([name, { id }]) => [name, id]);
      assert.deepEqual(ids, [["x.test", held().id], ...names.map((name) => [name, "new"])]);
    }
    second.keep(new Map([["x.test", held({ id: "new" })]]));
    second.keep(new Map());
    await second.settled();
    assert.equal((await recalled(disk)).size, 0);
  });
}

const entry = {
  domain: "x.test",
  id: "1",
  fetched: FETCHED,
  policy: "version: STSv1\nmode: none\nmax_age: 1\n",
};
const fileOf = (...policies: readonly unknown[]) => JSON.stringify({ form: 1, policies });

const DAMAGED: Readonly<Record<string, string>> = {
  "is empty": "",
  "is cut off": fileOf(entry).slice(0, -1),
  "is no object": "null",
  "is of another form": JSON.stringify({ form: 2, policies: [entry] }),
  "holds no list": JSON.stringify({ form: 1, policies: entry }),
};

const WRONG: Readonly<Record<string, unknown>> = {
  "that is none": 1,
  "for no domain": { ...entry, domain: "a b" },
  "without a domain": { ...entry, domain: undefined },
  "with a wrong id": { ...entry, id: "-" },
  "without a time": { ...entry, fetched: "1" },
  "without a policy": { ...entry, policy: undefined },
  "with a wrong policy": { ...entry, policy: "mode: none\n" },
};

Deno.test("the file that the damaged ones are made of is good", async () => {
  const { disk } = await setUp();
  disk.files.set(FILE, { bytes: bytesOf(fileOf(entry)), synced: true });
  assert.deepEqual([...(await recalled(disk)).keys()], ["x.test"]);
});

for (const [what, text] of Object.entries(DAMAGED)) {
  Deno.test(`a file that ${what} is told of, and nothing is remembered until it is replaced`, async () => {
    const { disk, log, memory } = await setUp();
    disk.files.set(FILE, { bytes: bytesOf(text), synced: true });
    assert.equal((await memory.recall()).size, 0);
    assert.deepEqual(log.all.map(({ level, event }) => `${level} ${event}`), [
      "warn policies not read",
    ]);
    memory.keep(new Map([["y.test", held()]]));
    await memory.settled();
    assert.deepEqual([...(await recalled(disk)).keys()], ["y.test"]);
  });
}

for (const [what, one] of Object.entries(WRONG)) {
  Deno.test(`an entry ${what} is left out and told of, and the others come back`, async () => {
    const { disk, log } = await setUp();
    const text = fileOf(one, entry, one, { ...entry, domain: "y.test" });
    disk.files.set(FILE, { bytes: bytesOf(text), synced: true });
    assert.deepEqual([...(await recalled(disk, log)).keys()], ["x.test", "y.test"]);
    const [fields, ...more] = log.fieldsOf("policies not read");
    assert.match(String(fields?.error), /^2 of 4 entries left out: /);
    assert.deepEqual(more, []);
  });
}

Deno.test("of more than 1000 policies the last ones are kept", async () => {
  const { disk, memory } = await setUp();
  memory.keep(new Map(Array.from({ length: 1001 }, (_, i) => [`x${i}.test`, held()])));
  await memory.settled();
  const names = [...(await recalled(disk)).keys()];
  assert.deepEqual([names.length, names[0], names.at(-1)], [1000, "x1.test", "x1000.test"]);
});

/** As long as a policy can be. */
function longest(): HeldPolicy {
  const label = "x".repeat(63);
  const mx = Array.from({ length: 100 }, (_, i) => {
    return `*.${String(i).padStart(63, "y")}.${label}.${label}.${"z".repeat(61)}`;
  });
  const text = printStsPolicy({ mode: "testing", mx, maxAge: 31_557_600 });
  return held({ id: "i".repeat(32), policy: parseStsPolicy(text) });
}

Deno.test("every policy that can be parsed is kept, however long it is", async () => {
  const { disk, log, memory } = await setUp();
  const domain = longest().policy.mx[0]?.slice("*.".length) ?? assert.fail();
  const policies = new Map([[domain, longest()], ["x.test", held()]]);
  memory.keep(policies);
  await memory.settled();
  assert.deepEqual([...await recalled(disk, log)], [...policies]);
  assert.deepEqual(log.all, []);
});

Deno.test("of more than the file may hold the last ones are kept, which is told once", async () => {
  const { disk, log, memory } = await setUp();
  const policies = new Map(Array.from({ length: 500 }, (_, i) => [`x${i}.test`, longest()]));
  for (let i = 1; i <= 2; i++) {
    memory.keep(policies);
    await memory.settled();
  }
  const names = [...(await recalled(disk)).keys()];
  assert.deepEqual(names, [...policies.keys()].slice(-names.length));
  assert.ok(names.length > 250 && names.length < 500);
  assert.ok((disk.files.get(FILE)?.bytes.length ?? 0) <= 8 * 1024 * 1024 + 100);
  assert.deepEqual(log.fieldsOf("policies not kept"), [
    { file: FILE, error: `no room for ${500 - names.length} of 500` },
  ]);
});
