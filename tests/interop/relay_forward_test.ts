/** A user's mail that is forwarded to another host. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { missing, skippable } from "../support/programs.ts";
import { type RecordingServer, startRecordingServer } from "../support/recording_server.ts";
import { submit, TEXT } from "../support/submit.ts";
import { emptied } from "../support/waiting.ts";
import { arrived, reportTo } from "./relay_report.ts";

const DOMAINS = { "x.test": "127.0.0.2", "y.test": "127.0.0.3" };
const USERS = `away:fred@y.test
team:jones@me.example, fred@y.test, mary@x.test
both:smith@me.example, fred@y.test
jones:mail/jones
smith:mail/smith
`;

Deno.test("a stranger's mail to a user who is away arrives there, from the same reverse-path", async () => {
  await using network = await startMailNetwork(DOMAINS);
  const { port } = network;
  await using x = startRecordingServer({ hostname: "127.0.0.2", port });
  await using y = startRecordingServer({ hostname: "127.0.0.3", port });
  await using daemon = await startDaemon({
    mail: `${network.mail}RELAY_FROM = none\n`,
    users: USERS,
  });

  await submit(daemon.port, { from: "stranger@x.test", to: ["away@me.example"] });
  await emptied(daemon);
  assert.deepEqual(envelopesAt(y), ["<stranger@x.test>", "<fred@y.test>"]);
  assert.equal(x.connections, 0);
  const [text] = y.conversations.flatMap(({ texts }) => texts);
  const lines = new TextDecoder().decode(text).split("\r\n");
  assert.equal(lines.filter((line) => line.startsWith("Received:")).length, 1);
  assert(lines.join("\r\n").endsWith(TEXT));

  // Who is reached by several ways gets it once.
  const to = ["team@me.example", "both@me.example", "away@me.example"];
  await submit(daemon.port, { from: "stranger@x.test", to });
  await emptied(daemon);
  assert.deepEqual(envelopesAt(y).slice(2), ["<stranger@x.test>", "<fred@y.test>"]);
  assert.deepEqual(envelopesAt(x), ["<stranger@x.test>", "<mary@x.test>"]);
  await arrived(daemon, "jones");
  await arrived(daemon, "smith");
});

Deno.test({
  ...skippable(
    "a report about a forward names whom the sender wrote to (RFC 3464 2.3.2, DSN-3)",
    missing(["python3"]),
  ),
  fn: async () => {
    await using network = await startMailNetwork(DOMAINS);
    const { port } = network;
    await using _y = startRecordingServer({
      hostname: "127.0.0.3",
      port,
      reply: (command) => command.startsWith("RCPT") ? "550 5.1.1 No fred here" : undefined,
    });
    await using daemon = await startDaemon({ mail: network.mail, users: USERS });

    await submit(daemon.port, { from: "jones@me.example", to: ["away@me.example"] });
    const { recipients: [recipient, ...others], explanation } = await reportTo(daemon, "jones");
    assert(recipient && others.length === 0);
    assert.equal(recipient["Final-Recipient"], "rfc822; away@me.example");
    assert.equal(recipient["Original-Recipient"], undefined);
    assert.equal(recipient.Status, "5.1.1");
    assert.equal(recipient["Remote-MTA"], "dns; mx.y.test");
    assert.equal(recipient["Diagnostic-Code"], "smtp; 550 5.1.1 No fred here");
    assert.match(explanation, /away@me\.example/);
  },
});

/** Reverse-path and forward-paths of all transactions, in order. */
function envelopesAt({ conversations }: RecordingServer): string[] {
  return conversations.flatMap(({ commands }) => commands)
    .flatMap((command) => /^(?:MAIL FROM|RCPT TO):(<.*>)/.exec(command)?.[1] ?? []);
}
