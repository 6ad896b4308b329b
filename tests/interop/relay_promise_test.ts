/** What a daemon takes for others reaches their hosts, once for each host and as it was. */

import assert from "node:assert/strict";
import { readMailbox, startDaemon } from "../support/daemon.ts";
import { startMailHost } from "../support/mail_host.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { startRecordingServer } from "../support/recording_server.ts";
import { submit, TEXT } from "../support/submit.ts";
import { loggedLine } from "../support/until.ts";
import { emptied, retryAll, waitingIn } from "../support/waiting.ts";
import { assertSameBytes } from "./maildir.ts";

const DOMAINS = { "x.test": "127.0.0.2", "y.test": "127.0.0.3" };
const RECIPIENTS = ["a@x.test", "b@x.test", "c@y.test"];
const HIGH_OCTETS = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i));

/** What is sent, one character for each octet. */
const TEXTS: Readonly<Record<string, string>> = {
  "a plain message": TEXT,
  "lines that begin with periods": `${TEXT}.\r\n..\r\n...\r\n.one\r\n. \r\n\r\n.\r\n`,
  "a text that begins with a period": `.X-First: line\r\n${TEXT}`,
  "8-bit octets": `${TEXT}${HIGH_OCTETS}\r\n`,
  "long lines": `${TEXT}${"x".repeat(5000)}\r\n.${"y".repeat(4999)}\r\n`,
  "a text larger than memory is spent on": TEXT + `.${"z".repeat(76)}\r\n`.repeat(20_000),
  "blanks at line ends and an empty line at last": `${TEXT}a \t\r\n \r\n\r\n`,
  "an empty body": TEXT.slice(0, TEXT.indexOf("\r\n\r\n") + 4),
};

Deno.test("mail for two hosts is two connections and three recipients (CL-23, CL-27)", async () => {
  await using network = await startMailNetwork(DOMAINS);
  const { port } = network;
  await using x = startRecordingServer({ hostname: "127.0.0.2", port });
  await using y = startRecordingServer({ hostname: "127.0.0.3", port });
  await using daemon = await startDaemon({ mail: network.mail });

  await submit(daemon.port, { to: RECIPIENTS });
  await emptied(daemon);
  await daemon.stop();

  const size = /SIZE=\d+/;
  const commands = [x, y].map(({ conversations }) =>
    conversations.map((one) => one.commands.map((line) => line.replace(size, "SIZE=n")))
  );
  assert.deepEqual(commands, [[[
    "EHLO me.example",
    "MAIL FROM:<jones@me.example> SIZE=n",
    "RCPT TO:<a@x.test>",
    "RCPT TO:<b@x.test>",
    "DATA",
    "QUIT",
  ]], [[
    "EHLO me.example",
    "MAIL FROM:<jones@me.example> SIZE=n",
    "RCPT TO:<c@y.test>",
    "DATA",
    "QUIT",
  ]]]);
  assert.equal(daemon.log().match(/ message sent /g)?.length, 3);
  assert.doesNotMatch(daemon.log(), / (warn|error) /);
});

Deno.test("a relayed text has one Received field more and is otherwise as it was (CL-24, CL-25, CL-29)", async (t) => {
  for (const [name, text] of Object.entries(TEXTS)) {
    await t.step(name, async () => {
      await using network = await startMailNetwork(DOMAINS);
      const { port } = network;
      await using x = startRecordingServer({ hostname: "127.0.0.2", port });
      await using y = startRecordingServer({ hostname: "127.0.0.3", port });
      await using daemon = await startDaemon({ mail: network.mail });

      await submit(daemon.port, { to: RECIPIENTS, text });
      await emptied(daemon);

      for (const { conversations } of [x, y]) {
        const [arrived, ...others] = conversations.flatMap(({ texts }) => texts);
        assert(arrived && others.length === 0);
        const head = new TextDecoder().decode(arrived.subarray(0, 1000));
        const field = /^Received: from client\.example \(.*\r\n(?:\t.*\r\n)*/.exec(head)?.[0];
        assert(field, head);
        assertSameBytes(
          arrived.subarray(field.length),
          Uint8Array.from(text, (octet) => octet.charCodeAt(0)),
        );
      }
    });
  }
});

Deno.test("the null reverse-path is relayed as <> (CL-28)", async () => {
  await using network = await startMailNetwork(DOMAINS);
  await using x = startRecordingServer({ hostname: "127.0.0.2", port: network.port });
  await using daemon = await startDaemon({ mail: network.mail });
  await submit(daemon.port, { from: "", to: ["a@x.test"] });
  await emptied(daemon);
  assert.match(x.conversations[0]?.commands[1] ?? "", /^MAIL FROM:<>( SIZE=\d+)?$/);
});

Deno.test("each recipient has a fate of its own (CL-17, CL-18)", async () => {
  const answers: Record<string, string> = { b: "450 4.2.1 Later", c: "550 5.1.1 Never heard of" };
  await using network = await startMailNetwork(DOMAINS);
  await using x = startRecordingServer({
    hostname: "127.0.0.2",
    port: network.port,
    reply: (command) => answers[/^RCPT TO:<(.)@/.exec(command)?.[1] ?? ""],
  });
  await using daemon = await startDaemon({ mail: network.mail });
  await submit(daemon.port, { to: ["a@x.test", "b@x.test", "c@x.test", "jones@me.example"] });
  await loggedLine(daemon, "message sent", "to=<a@x.test>");
  await loggedLine(daemon, "message deferred", "to=<b@x.test>", "450 4.2.1 Later");
  await loggedLine(daemon, "message returned", "to=<c@x.test>");
  const [waiting, ...others] = await waitingIn(daemon);
  assert(waiting && others.length === 0);
  assert.deepEqual(waiting.recipients.map(({ to, state }) => [to, state]), [
    ["a@x.test", "delivered"],
    ["b@x.test", "waiting"],
    ["c@x.test", "returned"],
  ]);

  delete answers.b;
  await retryAll(daemon);
  await emptied(daemon);
  const recipients = x.conversations.map(({ commands }) =>
    commands.filter((command) => command.startsWith("RCPT"))
  );
  assert.deepEqual(recipients.flat(), [
    "RCPT TO:<a@x.test>",
    "RCPT TO:<b@x.test>",
    "RCPT TO:<c@x.test>",
    "RCPT TO:<b@x.test>",
  ]);
  assert.equal(x.conversations.flatMap(({ texts }) => texts).length, 2);
  // His own copy, and the one report.
  assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 2);
});

Deno.test("250 recipients are three transactions over one connection (CL-18)", async () => {
  await using network = await startMailNetwork(DOMAINS);
  await using x = startRecordingServer({ hostname: "127.0.0.2", port: network.port });
  await using daemon = await startDaemon({ mail: network.mail });
  const to = Array.from({ length: 250 }, (_, i) => `user${i}@x.test`);
  await submit(daemon.port, { to });
  await emptied(daemon);
  const [conversation, ...others] = x.conversations;
  assert(conversation && others.length === 0);
  const { commands, texts } = conversation;
  assert.deepEqual(
    commands.flatMap((command) => /^RCPT TO:<(.*)>$/.exec(command)?.[1] ?? []),
    to,
  );
  assert.equal(texts.length, 3);
});

Deno.test("a host that turns mail away is passed over for the next (CL-13, CL-4)", async () => {
  await using network = await startMailNetwork(DOMAINS, {
    "z.test": { MX: [[20, "mx.y.test"], [10, "mx.x.test"]] },
  });
  const { port } = network;
  await using x = startMailHost({ hostname: "127.0.0.2", port }, (peer) => {
    return peer.say("421 4.3.2 Not today\r\n");
  });
  await using y = startRecordingServer({ hostname: "127.0.0.3", port });
  await using daemon = await startDaemon({ mail: network.mail });
  await submit(daemon.port, { to: ["a@z.test"] });
  await emptied(daemon);
  assert.equal(x.connections, 1);
  assert.equal(y.conversations.flatMap(({ texts }) => texts).length, 1);
});
