/** Peers that do not close their connections but reset them, at every step. */

import assert from "node:assert/strict";
import { NOWHERE, readMailbox, startDaemon } from "../../support/daemon.ts";
import { startMailHost } from "../../support/mail_host.ts";
import { namesIn } from "../../support/names_in.ts";
import { envelope, greetedClient, submit } from "../../support/submit.ts";
import { loggedLine, until } from "../../support/until.ts";
import { emptied } from "../../support/waiting.ts";

/** What a host still answers before it resets. */
const ANSWERED = ["", "EHLO", "MAIL", "RCPT", "DATA", "."];
const ANSWERS: Readonly<Record<string, string>> = { EHLO: "250 nasty.test", DATA: "354 Go on" };

/** Milliseconds in which what the other end says next arrives, unread. */
const SOON = 100;

Deno.test({
  name: "mail goes on after hosts that reset the connection, at each step",
  fn: async () => {
    let last: string | undefined;
    const taken: string[] = [];
    await using host = startMailHost({ hostname: "127.0.0.1", port: 0 }, async (peer) => {
      await peer.say("220 nasty.test\r\n");
      for (let heard = ""; heard !== last;) {
        heard = (await peer.hear()).split(" ")[0]!;
        await peer.say(`${ANSWERS[heard] ?? "250 OK"}\r\n`);
        if (heard !== "DATA" || last === "DATA") continue;
        const text = await peer.hear("\r\n.\r\n");
        if (last === ".") break;
        taken.push(text);
        // The next message is to come over another connection.
        return await peer.say("250 OK\r\n");
      }
      // A connection that is closed with something unread is reset.
      await new Promise((resolve) => setTimeout(resolve, SOON));
    });
    await using daemon = await startDaemon({
      mail: `RELAY_HOST = 127.0.0.1:${host.port}\nRETRY_DELAYS = 1s`,
    });
    for (const step of ANSWERED) {
      last = step;
      const id = await submit(daemon.port, { to: ["joe@x.test"] });
      const line = await loggedLine(daemon, " info message deferred ", `id=${id}`);
      assert.match(line, / reply="4\d\d 4\.\d\.\d /);
      last = undefined;
      await emptied(daemon);
    }
    assert.equal(taken.length, ANSWERED.length);
    assert.doesNotMatch(daemon.log(), / error | message (returned|failed) /);
  },
});

Deno.test("a client that resets the connection leaves nothing of its message, at each step", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  const { folder, port } = daemon;
  const begun = [
    "MAIL FROM:<>",
    "RCPT TO:<jones@me.example>",
    "RCPT TO:<fred@far.example>",
    "DATA",
  ];
  for (let said = 0; said <= begun.length; said++) {
    const client = await greetedClient(port);
    for (const command of begun.slice(0, said)) {
      assert.match(await client.command(command) ?? "", /^(250|354) /);
    }
    // The answer to the last words stays unread.
    await client.send(said === begun.length ? "x".repeat(200) + "\r\n" : "NOOP\r\n");
    await new Promise((resolve) => setTimeout(resolve, SOON));
    client.close();
  }
  const long = await greetedClient(port);
  await envelope(long, { to: ["jones@me.example", "fred@far.example"] });
  await long.send(`${"x".repeat(98)}\r\n`.repeat(2000));
  await until("a file", async () => (await namesIn(`${folder}/mail/jones/tmp`)).length > 0);
  long.close();
  await until("all gone", () => {
    const { length } = daemon.log().match(/ connection closed /g) ?? [];
    return length === begun.length + 2;
  });
  for (const part of ["mail/jones/tmp", "spool/tmp", "spool/queue"]) {
    assert.deepEqual(await namesIn(`${folder}/${part}`), [], part);
  }
  await submit(port, { to: ["jones@me.example"] });
  assert.equal((await readMailbox(`${folder}/mail/jones`)).length, 1);
  assert.doesNotMatch(daemon.log(), / (warn|error) /);
});
