/** MTA-STS: records, policies, and the file that keeps them. */

import assert from "node:assert/strict";
import { Spool } from "../../src/queue/spool.ts";
import { type HeldPolicies, SpooledStsMemory } from "../../src/relay/sts_memory.ts";
import {
  isStsId,
  matchesMx,
  parseStsPolicy,
  parseStsRecord,
  printStsPolicy,
  type StsPolicy,
  StsPolicyError,
} from "../../src/relay/sts_policy.ts";
import { isDomainName } from "../../src/smtp/address.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { MemoryDisk } from "../support/memory_disk.ts";
import type { Random } from "../support/random.ts";
import * as grammar from "./grammar.ts";
import { characters, octets } from "./octets.ts";
import type { Target } from "./target.ts";

export const stsRecord: Target = {
  name: "sts-record",
  runs: 10_000,
  words: ["v=STSv1", ";", "id=", "=", " ", "\t", "\n", "x".repeat(33)],
  reaches: { id: 0.05, none: 0.4 },
  generate(random) {
    const field = () =>
      random.pick(["id=20261122a", "id=", "x=y", "id=a-b", "", "id=2", `id=${"i".repeat(33)}`]);
    const fields = grammar.several(random, field, 1, 3, random.pick([";", "; ", " ;"]));
    const record = `${random.pick(["v=STSv1", "v=STSv1", "v=STSv2", "v=spf1"])}; ${fields}${
      random.pick(["", ";"])
    }`;
    return octets(random.chance(0.9) ? record : `${record}\n${record}`);
  },
  run(_, input) {
    const id = parseStsRecord(characters(input).split("\n"));
    if (id === undefined) return ["none"];
    assert.ok(isStsId(id) && characters(input).includes(`id=${id}`));
    return ["id"];
  },
};

function policyText(random: Random): string {
  const mx = () =>
    `mx: ${
      random.chance(0.7)
        ? random.pick(["m.x.test", "*.y.test", "M.X.TEST"])
        : grammar.domain(random)
    }`;
  const ages = ["604800", "0", "31557600", "31557601", "-1", "x", "99999999999"];
  const age = random.chance(0.8) ? "604800" : random.pick(ages);
  const lines = [
    `version: ${random.chance(0.95) ? "STSv1" : "STSv2"}`,
    `mode: ${random.pick(["enforce", "testing", "none", "enforce", "x"])}`,
    ...Array.from({ length: random.pick([0, 1, 1, 2, 3, 101]) }, mx),
    `max_age: ${age}`,
    ...random.chance(0.1) ? ["x: y", "", " ", "no key"] : [],
  ];
  return lines.join(random.pick(["\r\n", "\n"])) + random.pick(["", "\n", "\r\n\r\n"]);
}

export const stsPolicy: Target = {
  name: "sts-policy",
  runs: 8000,
  words: ["version: STSv1", "mode: ", "mx: ", "max_age: ", "\n", "\r\n", ":", "*.", " ", "\t"],
  reaches: { enforce: 0.05, testing: 0.02, none: 0.03, refused: 0.3 },
  generate: (random) => octets(policyText(random)),
  run(random, input) {
    let policy;
    try {
      policy = parseStsPolicy(new TextDecoder().decode(input));
    } catch (error) {
      if (!(error instanceof StsPolicyError)) throw error;
      assert.match(error.message, /^[ -~]{1,150}$/, "the words are fit for a log");
      return ["refused", error.message.slice(0, 15)];
    }
    checkPolicy(policy, grammar.domain(random));
    return [policy.mode];
  },
};

function checkPolicy(policy: StsPolicy, host: string): void {
  assert.deepEqual(parseStsPolicy(printStsPolicy(policy)), policy);
  assert.ok(policy.mx.length <= 100 && (policy.mx.length > 0 || policy.mode === "none"));
  assert.ok(policy.maxAge >= 0 && policy.maxAge <= 31_557_600);
  for (const pattern of policy.mx) {
    assert.ok(isDomainName(pattern.replace(/^\*\./, "")));
    assert.ok(matchesMx(policy, pattern.replace("*", "one").toUpperCase()));
  }
  const parents = policy.mx.filter((one) => one.startsWith("*.")).map((one) => one.slice(1));
  const allowed = policy.mx.includes(host.toLowerCase()) ||
    parents.some((parent) => {
      const label = host.toLowerCase().slice(0, -parent.length);
      return host.toLowerCase().endsWith(parent) && /^[^.]+$/.test(label);
    });
  if (!host.endsWith(".")) assert.equal(matchesMx(policy, host), allowed, host);
}

const FILE = "/spool/policies.json";

function entry(random: Random): unknown {
  return {
    domain: random.pick(["x.test", "Y.test", "z.test", "[192.0.2.1]", "", 1]),
    id: random.pick(["1", "20261122a", "a-b", ""]),
    fetched: random.pick([1764000000000, 0, 1e15, -1, "x"]),
    policy: random.chance(0.95) ? policyText(random) : null,
  };
}

/** The file of a relay that ran before. */
export const stsMemory: Target = {
  name: "sts-memory",
  runs: 4000,
  words: [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "1e999",
    '"form":1',
    '"policies":[',
    '"fetched":',
    "\\n",
  ],
  reaches: { recalled: 0.025, "left out": 0.2, damaged: 0.2 },
  generate(random) {
    const policies = Array.from({ length: random.between(0, 3) }, () => entry(random));
    return octets(JSON.stringify({ form: random.chance(0.95) ? 1 : 2, policies }));
  },
  async run(random, input) {
    const disk = new MemoryDisk();
    await new Spool(disk, "/spool", "a-").make();
    const file = await disk.create(FILE);
    await file.write(input);
    const log = new CollectingLog();
    const recalled = await recall(disk, log);
    const outcomes: string[] = recalled.size > 0 ? ["recalled"] : [];
    for (const [domain, { id, fetched, policy }] of recalled) {
      assert.ok(isDomainName(domain) && domain === domain.toLowerCase());
      assert.ok(isStsId(id) && fetched >= 0);
      checkPolicy(policy, grammar.domain(random));
    }
    const told = log.all.map(({ event, fields }) => `${event}: ${fields.error}`);
    if (told.length > 0) outcomes.push(/left out/.test(told[0]!) ? "left out" : "damaged");
    // What is recalled is kept over the next start too.
    const memory = new SpooledStsMemory(new Spool(disk, "/spool", "b-"), log);
    memory.keep(recalled);
    await memory.settled();
    const again = new CollectingLog();
    assert.deepEqual([...await recall(disk, again)], [...recalled]);
    assert.deepEqual(again.all, []);
    assert.deepEqual([...disk.files.keys()], [FILE]);
    return outcomes;
  },
};

async function recall(disk: MemoryDisk, log: CollectingLog): Promise<HeldPolicies> {
  return await new SpooledStsMemory(new Spool(disk, "/spool", "b-"), log).recall();
}
