/** A part's thread as the daemon sees it. */

import assert from "node:assert/strict";
import { EndedError, inTime, type Part, WorkerPart } from "../../src/daemon/part.ts";
import { FakeClock } from "../support/fake_clock.ts";

type Question = { readonly kind: "echo" | "die" | "nothing" };

/** A part that answers what it is told, dies or says nothing. */
function part(): Part<Question, Question> {
  const code = `self.onmessage = ({ data }) => {
    if (data.kind === "echo") self.postMessage(data);
    if (data.kind === "die") throw new Error("too much");
  };`;
  const entry = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  return new WorkerPart("echo", entry, { net: false });
}

Deno.test("it answers", async () => {
  const echo = part();
  assert.deepEqual(await echo.ask({ kind: "echo" }, ["echo"]), { kind: "echo" });
  echo.end();
});

Deno.test("an answer comes to the first who waits for its kind, and to nobody else", async () => {
  const echo = part();
  const answered: string[] = [];
  const wait = async (who: string, ...kinds: Question["kind"][]) => {
    await echo.ask({ kind: "nothing" }, kinds);
    answered.push(who);
  };
  const other = wait("other", "nothing");
  const first = wait("first", "echo", "die");
  const second = echo.ask({ kind: "echo" }, ["echo"]).then(() => answered.push("second"));
  await first;
  assert.deepEqual(answered, ["first"]);
  echo.tell({ kind: "echo" });
  await second;
  echo.tell({ kind: "die" });
  await assert.rejects(other);
  echo.end();
});

Deno.test("its death is told, with its reason", async () => {
  const echo = part();
  await assert.rejects(echo.ask({ kind: "die" }, ["echo"]), /too much/);
  await assert.rejects(echo.failed);
  echo.end();
});

Deno.test("whoever waits for one that is ended hears of its end", async () => {
  const echo = part();
  const answer = echo.ask({ kind: "nothing" }, ["nothing"]);
  echo.end();
  await assert.rejects(answer, EndedError);
});

Deno.test("one that does not answer to its end is not waited for", async () => {
  const clock = new FakeClock();
  const late = inTime("echo", new Promise<void>(() => {}), 1000, clock);
  clock.advance(6000);
  await assert.rejects(late, /the echo does not answer/);
  assert.equal(await inTime("echo", Promise.resolve("at once"), 1000, clock), "at once");
  assert.equal(clock.pending, 0);
});
