/** Names of files: ours are fit for every file system, and what is not ours is left alone. */

import assert from "node:assert/strict";
import { MaildirNames } from "../../src/mailbox/name.ts";
import { MessageIds } from "../../src/queue/id.ts";
import { type Request, Requests } from "../../src/queue/requests.ts";
import { Spool } from "../../src/queue/spool.ts";
import { MemoryDisk } from "../support/memory_disk.ts";
import type { Random } from "../support/random.ts";
import * as grammar from "./grammar.ts";
import { characters, octets, utf8 } from "./octets.ts";
import type { Target } from "./target.ts";

const TIMES = ["0", "1764000000000", "1764000000000.25", "34359738367999", "1763999999999"];

/** The machine's name on the first line, the clock's times on the others. */
export const ids: Target = {
  name: "ids",
  runs: 6000,
  words: ["/", ":", "..", "\0", "\n", "0", "1764000000000", utf8("é"), "\\"],
  reaches: { made: 0.4, "set back": 0.25 },
  generate(random) {
    const host = random.pick([
      "mx",
      "mx.example",
      "a/b",
      "a:b",
      "..",
      "",
      utf8("bücher"),
      "h".repeat(300),
      "\0",
    ]);
    return octets(`${host}\n${grammar.several(random, () => random.pick(TIMES), 1, 6, "\n")}`);
  },
  run(random, input) {
    const [first = "", ...rest] = characters(input).split("\n");
    const host = random.chance(0.5) ? first : new TextDecoder().decode(octets(first));
    const times = rest.map(Number).filter((time) => time >= 0 && time < 32 ** 9);
    if (times.length === 0) return [];
    let clock = 0;
    const source = { host, process: 7, random: random.next, now: () => clock };
    const thread = random.chance(0.5) ? { thread: random.between(0, 2000) } : {};
    const names = new MaildirNames(source);
    const ids = new MessageIds({ ...source, ...thread });
    const made = { names: new Set<string>(), ids: new Set<string>() };
    let latest = "";
    for (const time of times) {
      clock = time;
      const name = names.next();
      assert.match(name, /^[0-9]+\.[A-Za-z0-9.\\-]+$/, "no / and no : and no control character");
      assert.ok(name.length <= 255);
      assert.ok(names.isLeftover(name) && !names.isLeftover(`x${name}`));
      const id = ids.next();
      assert.match(id, /^[0-9a-hjkmnp-tv-z]{15}$/);
      assert.ok(id.slice(0, 11) > latest, "ids sort in the order they are made");
      latest = id.slice(0, 11);
      made.names.add(name);
      made.ids.add(id);
    }
    assert.deepEqual([made.names.size, made.ids.size], [times.length, times.length], "none twice");
    const setBack = times.some((time, i) => time < (times[i - 1] ?? 0));
    return ["made", ...setBack ? ["set back"] : []];
  },
};

const ID = "1m828dtfh00fgn1";
const NAMES = [
  `retry-${ID}`,
  `remove-${ID}`,
  "retry-all",
  "remove-all",
  `${ID}.json`,
  `${ID}.eml`,
  `x-${ID}`,
]
  .concat([
    `retry-${ID}x`,
    "retry-",
    ".",
    "..",
    `${ID}.json.tmp`,
    `${ID.toUpperCase()}.json`,
    `\n${ID}.json`,
  ]);

function fileName(random: Random): string {
  return random.chance(0.8) ? random.pick(NAMES) : grammar.localPart(random);
}

/** Names of files that somebody put into the spool, one on each line. */
export const fileNames: Target = {
  name: "file-names",
  runs: 3000,
  words: ["retry-", "remove-", "all", ID, ".json", ".eml", "\n", ".", "/", "\0"],
  reaches: { asked: 0.2, listed: 0.1, swept: 0.1, strange: 0.2 },
  generate: (random) => octets(grammar.several(random, () => fileName(random), 1, 6, "\n")),
  async run(_, input) {
    // All that a directory can hold.
    const names = [...new Set(characters(input).split("\n"))]
      .filter((name) => !/^\.{0,2}$|[/\0]/.test(name));
    const disk = new MemoryDisk();
    const spool = new Spool(disk, "/spool", "a-");
    await spool.make();
    const requests = new Requests(disk, "/spool");
    for (const name of names) {
      (await disk.create(`/spool/queue/${name}`)).close();
      (await disk.create(`${requests.directory}/${name}`)).close();
    }
    const asked: Request[] = [];
    await requests.serve((request) => Promise.resolve(void asked.push(request)));
    for (const { kind, id } of asked) {
      assert.ok(/^[0-9a-z]{15}$/.test(id) || kind === "retry" && id === "all");
      assert.ok(names.includes(`${kind}-${id}`));
    }
    const left = await disk.list(requests.directory);
    assert.equal(left.length, names.length - asked.length, "what is no request stays");
    const listed = await spool.list();
    for (const id of listed) assert.ok(/^[0-9a-z]{15}$/.test(id) && names.includes(`${id}.eml`));
    const swept = await spool.sweep();
    const gone = names.filter((name) => !disk.files.has(`/spool/queue/${name}`));
    assert.equal(gone.length, swept);
    for (const name of gone) assert.match(name, /^[0-9a-z]{15}\.json$/, "nothing else is swept");
    const outcomes = [];
    if (asked.length > 0) outcomes.push("asked");
    if (listed.length > 0) outcomes.push("listed");
    if (swept > 0) outcomes.push("swept");
    if (left.length > 0) outcomes.push("strange");
    return outcomes;
  },
};
