/** `queue show`: all there is to know of a message. */

import assert from "node:assert/strict";
import { NOWHERE, startDaemon } from "../support/daemon.ts";
import { submit } from "../support/submit.ts";
import { queue } from "../support/waiting.ts";
import { SITUATIONS, twoWaiting } from "./two_waiting.ts";

for (const [how, running] of SITUATIONS) {
  Deno.test(`show, ${how}: all there is to know, and the header`, async () => {
    const { daemon, ids: [first, second] } = await twoWaiting(running);
    await using _ = daemon;
    const { code, out, err } = await queue(daemon, "show", first, second);
    assert.deepEqual([code, err], [0, ""]);
    for (
      const line of [
        new RegExp(`^id: ${first}$`, "m"),
        /^from: <a@b\.example>$/m,
        /^arrived: \d{4}-.*Z \(\d+s ago\)$/m,
        /^size: \d+ octets$/m,
        /^to: <fred@far\.example> waiting$/m,
        /^to: <"a b"@far\.example> waiting$/m,
        /^ +attempts: 1$/m,
        /^ +next: \d{4}-.*Z \(in \d+[sm]\)$/m,
        /^ +we found: 451 4\.4\.1 /m,
        new RegExp(`^text: spool/queue/${first}\\.eml$`, "m"),
        /^Received: from client\.example /m,
        /^Subject: Hi$/m,
        new RegExp(`^id: ${second}$`, "m"),
        /^from: <>$/m,
      ]
    ) {
      assert.match(out, line);
    }
    assert.doesNotMatch(out, /Hello/);
  });

  for (
    const [what, damage, says] of [
      ["is missing", (path: string) => Deno.remove(path), "the text is missing"],
      [
        "is too short",
        (path: string) => Deno.truncate(path, 0),
        "there is no envelope behind the text",
      ],
    ] as const
  ) {
    Deno.test(`show, ${how}: a message whose text ${what}`, async () => {
      const { daemon, ids: [first, second] } = await twoWaiting(running);
      await using _ = daemon;
      await damage(`${daemon.folder}/spool/queue/${first}.eml`);
      const { code, out, err } = await queue(daemon, "show", first, second);
      assert.deepEqual([code, err], [1, `denosmtpd: ${first}: ${says}\n`]);
      assert.match(out, new RegExp(`^id: ${first}$`, "m"));
      assert.match(out, new RegExp(`^id: ${second}$`, "m"));
    });
  }
}

Deno.test("control characters of a header do not reach the terminal", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  // In UTF-8 behind the tab: U+202E, U+2028 and U+200B.
  const text = "Subject: \x1b]0;mine\x07\xc2\x9b1m\tHi\xe2\x80\xae\xe2\x80\xa8\xe2\x80\x8b\r\n\r\n";
  const id = await submit(daemon.port, { to: ["fred@far.example"], text });
  const { out } = await queue(daemon, "show", id);
  assert.match(out, /^Subject: \?\]0;mine\?\?1m\tHi\?\?\?$/m);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(out, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
});
