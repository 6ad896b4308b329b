/** One scenario from its beginning to the judgement, stopped at a step or not. */

import { until } from "../../support/until.ts";
import { namesIn } from "../../support/names_in.ts";
import { judge, type Judgement } from "./judgement.ts";
import type { Operation, Orders } from "./orders.ts";
import type { Scenario } from "./scenarios.ts";
import { Stage } from "./stage.ts";

export interface Played extends Judgement {
  /** Whether the process has come to where it was to stop. */
  readonly killed: boolean;
  /** What its disk has told. */
  readonly operations: readonly Operation[];
}

/** Lines that no daemon writes whose disk is in order; what became of messages is seen otherwise. */
const TROUBLE = /^\S+ (?:error (?!message )|warn policies not read)/;

/** Milliseconds until it is asked again for what may have been under way. */
const ASK_AGAIN = 1000;

/** Rejects where it does not go as the scenario has it, unless the process is killed. */
export async function play(
  scenario: Scenario,
  orders: Pick<Orders, "tell" | "stop">,
): Promise<Played> {
  const { set, prepare, words, faults = [], act, afterwards = "takes" } = scenario;
  await using stage = await (set?.() ?? Stage.set());
  await prepare?.(stage);
  const target = stage.begin({
    ...words ? { words: await words(stage) } : {},
    orders: { ...orders, faults },
  });
  try {
    await act(stage);
  } catch (error) {
    if (!target.killed) throw error;
  }
  await target.end();
  stage.mood = afterwards;
  await finish(stage);
  return { ...await judge(stage), killed: target.killed, operations: target.operations };
}

/** By another daemon, which nobody stops: until nothing is left to be done. */
async function finish(stage: Stage): Promise<void> {
  await stage.serve();
  // It is good for more than what there is.
  await stage.give(["mary@me.example"]);
  await stage.askForAll();
  let asked = performance.now();
  await until(`the end of ${stage.folder}\n${stage.target.log}`, async () => {
    const requests = await namesIn(`${stage.spool}/requests`);
    if ((await stage.queued()).length === 0 && requests.length === 0) return true;
    if (performance.now() - asked > ASK_AGAIN) {
      await stage.askForAll();
      asked = performance.now();
    }
    return false;
  });
  await stage.stop();
  const troubles = stage.target.log.split("\n").filter((line) => TROUBLE.test(line));
  if (troubles.length > 0) throw new Error(troubles.join("\n"));
}
