/** A part's thread as the daemon sees it. */

import assert from "node:assert/strict";
import { Part } from "../../src/daemon/part.ts";

type Question = { readonly kind: "echo" | "die" | "nothing" };

/** A part that answers what it is told, dies or says nothing. */
function part(): Part<Question, Question> {
  const code = `self.onmessage = ({ data }) => {
    if (data.kind === "echo") self.postMessage(data);
    if (data.kind === "die") throw new Error("too much");
  };`;
  const entry = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  return new Part("echo", entry, { net: false });
}

Deno.test("it answers", async () => {
  const echo = part();
  assert.deepEqual(await echo.ask({ kind: "echo" }), { kind: "echo" });
  echo.end();
});

Deno.test("its death is told, with its name and its reason", async () => {
  const echo = part();
  await assert.rejects(echo.ask({ kind: "die" }), /the echo failed: .*too much/);
  await assert.rejects(echo.failed);
  echo.end();
});

Deno.test("it may answer to its end", async () => {
  const echo = part();
  await echo.stop({ kind: "echo" }, 1000);
  echo.end();
});

Deno.test("one that does not answer to its end is not waited for", async () => {
  const echo = part();
  await assert.rejects(echo.stop({ kind: "nothing" }, -5000), /the echo does not stop/);
  echo.end();
});
