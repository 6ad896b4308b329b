/** What people and programs read of how a host was talked to. */

import assert from "node:assert/strict";
import { jsonLine, listLines, showLines } from "../../src/commands/queue_print.ts";
import type { LastReply, Security } from "../../src/queue/envelope.ts";
import { ARRIVED, message, recipient } from "../queue/messages.ts";

function waiting(last: Partial<LastReply>) {
  const reply = { code: 450, status: "4.2.0", lines: ["later"] };
  const whole = { reply, heard: true, host: "mx.x.y", time: ARRIVED, ...last };
  return message({ recipients: [recipient("jones@x.y", { attempts: 1, last: whole })] });
}

for (
  const [security, words] of [
    [{ protocol: "TLSv1.3", verified: true }, ", TLSv1.3 verified"],
    [{ protocol: "TLSv1.2", verified: false }, ", TLSv1.2 not verified"],
    [{ protocol: "none", verified: false }, ", no TLS"],
    [{ protocol: "TLS" }, ", TLS"],
    [undefined, ""],
  ] satisfies [Security | undefined, string][]
) {
  Deno.test(`${JSON.stringify(security)} reads "${words}"`, () => {
    const one = waiting(security ? { security } : {});
    const [, listed] = listLines(one, ARRIVED);
    assert.ok(listed?.endsWith(`: 450 4.2.0 later (mx.x.y${words})`), listed);
    const shown = showLines(one, ARRIVED).find((line) => line.startsWith("    last: "));
    assert.equal(shown, `    last: ${new Date(ARRIVED).toISOString()} mx.x.y${words}`);
    const { tls, verified } = JSON.parse(jsonLine(one)).recipients[0];
    assert.deepEqual([tls, verified], [security?.protocol, security?.verified]);
  });
}

Deno.test("where no host was talked to there is nothing to tell", () => {
  const reply = { code: 451, status: "4.4.1", lines: ["not there"] };
  const one = message({
    recipients: [recipient("jones@x.y", { last: { reply, heard: false, time: ARRIVED } })],
  });
  assert.equal(
    showLines(one, ARRIVED).find((line) => line.startsWith("    last: ")),
    `    last: ${new Date(ARRIVED).toISOString()}`,
  );
});
