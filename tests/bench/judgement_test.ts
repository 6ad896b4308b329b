import assert from "node:assert/strict";
import type { Result, Round } from "./contestant.ts";
import { judge, judgementLine } from "./judgement.ts";
import { type Load, LOADS } from "./loads.ts";
import { resultOf, roundOf } from "./rounds.ts";

const LOAD: Load = LOADS.find(({ letter }) => letter === "a")!;

/** Rounds that meet the target, but for what is told of them. */
const OURS = { accepted: 1, arrived: 1, processor: 0.5, memory: 100e6 };
const THEIRS = { accepted: 4, arrived: 5, processor: 1, memory: 300e6 };

function line(
  ours: readonly Partial<Round>[],
  theirs: readonly Partial<Round>[] = [{}],
  more: Partial<Result> = {},
): string {
  const result = {
    load: LOAD,
    ours: { ...resultOf("ours", ours.map((round) => roundOf({ ...OURS, ...round }))), ...more },
    theirs: resultOf("Postfix", theirs.map((round) => roundOf({ ...THEIRS, ...round }))),
    others: [],
    failures: [],
  };
  return judgementLine("a", judge(result));
}

Deno.test("a load's target is met where every point is", () => {
  assert.equal(
    line([{}]),
    "(a) met: 4.00 times Postfix accepted, 5.00 times Postfix in the mailbox, " +
      "0.500 of Postfix's processor time, 100 MB of memory",
  );
});

Deno.test("what is missed stands alone, with what was wanted", () => {
  assert.equal(line([{ accepted: 2 }]), "(a) missed: 2.00 times Postfix accepted (3.00 wanted)");
});

Deno.test("pairs are judged by the median of their ratios, not by the ratio of medians", () => {
  const ours = [1, 2, 4].map((accepted) => ({ accepted }));
  const theirs = [4, 6, 4].map((accepted) => ({ accepted }));
  // 4, 3 and 1; the ratio of medians is 2.
  assert.match(line(ours, theirs), /^\(a\) met: 3\.00 times Postfix accepted/);
});

Deno.test("as much processor time as Postfix is too much", () => {
  const missed = "(a) missed: 1.00 of Postfix's processor time (less than 1 wanted)";
  assert.equal(line([{ processor: 1 }]), missed);
});

Deno.test("memory is judged by the most that was ever held", () => {
  const missed = "(a) missed: 160 MB of memory (less than 150 wanted)";
  assert.equal(line([{ memory: 100e6 }], [{}], { peak: 160e6 }), missed);
  assert.equal(line([{ memory: 160e6 }], [{}], { peak: 100e6 }), missed);
});

Deno.test("a load with a lost message has missed its target, whoever lost it", () => {
  assert.equal(line([{ missing: 2 }]), "(a) missed: ours has lost 2 copies");
  assert.equal(line([{}], [{ missing: 1 }]), "(a) missed: Postfix has lost 1 copies");
});
