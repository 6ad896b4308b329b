/** Two daemons send to each other, and a report finds its way back. */

import assert from "node:assert/strict";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { type MailNetwork, startMailNetwork } from "../support/mail_network.ts";
import { missing, skippable } from "../support/programs.ts";
import { submit, TEXT } from "../support/submit.ts";
import { emptied } from "../support/waiting.ts";
import { assertSameBytes, part } from "./maildir.ts";
import { arrived, reportTo } from "./relay_report.ts";

const DOMAINS = { "x.test": "127.0.0.2", "y.test": "127.0.0.3" };
type Domain = keyof typeof DOMAINS;

function startAt(network: MailNetwork, domain: Domain, users: string): Promise<Daemon> {
  return startDaemon({
    mail: `${network.mail}HOSTNAME = mx.${domain}
LOCAL_DOMAINS = ${domain}
LISTEN_ADDR = ${DOMAINS[domain]}
LISTEN_PORT = ${network.port}
RELAY_FROM = ${DOMAINS[domain]}, 127.0.0.1
`,
    users,
  });
}

Deno.test({
  ...skippable(
    "two daemons send to each other, reports too (CL-29, DSN-1, DSN-3)",
    missing(["python3"]),
  ),
  fn: async (t) => {
    await using network = await startMailNetwork(DOMAINS);
    await using x = await startAt(network, "x.test", "jones:mail/jones\njack:mail/jack\n");
    await using y = await startAt(network, "y.test", "smith:mail/smith\n");
    const text = `${TEXT}.\r\n..\r\nGr\xfc\xdfe\r\n`;

    await t.step("one way", async () => {
      await submit(x.port, { from: "jones@x.test", to: ["smith@y.test"], text }, "127.0.0.2");
      assertArrived(await arrived(y, "smith"), "<jones@x.test>", "mx.x.test", text);
    });

    await t.step("the other way, and to one of its own", async () => {
      const to = ["jack@x.test", "smith@y.test"];
      await submit(y.port, { from: "smith@y.test", to, text }, "127.0.0.3");
      assertArrived(await arrived(x, "jack"), "<smith@y.test>", "mx.y.test", text);
      assert.equal((await arrived(y, "smith", 2)).length, 2);
    });

    await t.step("an unknown user there comes back as a report", async () => {
      await submit(x.port, { from: "jones@x.test", to: ["nobody@y.test"], text }, "127.0.0.2");
      const report = await reportTo(x, "jones");
      assert.equal(report.returnPath, "<>");
      assert.deepEqual(report.to, ["jones@x.test"]);
      assert.equal(report.message["Reporting-MTA"], "dns; mx.x.test");
      const [recipient, ...others] = report.recipients;
      assert(recipient && others.length === 0);
      assert.equal(recipient["Final-Recipient"], "rfc822; nobody@y.test");
      assert.equal(recipient.Status, "5.1.1");
      assert.equal(recipient["Remote-MTA"], "dns; mx.y.test");
      assert.match(recipient["Diagnostic-Code"] ?? "", /^smtp; 550 5\.1\.1 /);
      assert.match(y.log(), / recipient refused .* to=<nobody@y\.test> /);
    });

    await t.step("a report goes to the other host where its reader is", async () => {
      // Whoever sends here has a mailbox there.
      const to = ["joe@gone.test"];
      await submit(y.port, { from: "jones@x.test", to, text }, "127.0.0.3");
      const [, bytes] = await arrived(x, "jones", 2);
      assert(bytes);
      const { returnPath, received } = part(bytes);
      assert.equal(returnPath, "<>");
      assert.match(received, /^from mx\.y\.test .* by mx\.x\.test /);
      assert.match(new TextDecoder().decode(bytes), /^Final-Recipient: rfc822; joe@gone\.test$/m);
    });

    await t.step("a report that nobody takes ends there", async () => {
      const to = ["joe@gone.test"];
      await submit(y.port, { from: "nobody@x.test", to, text }, "127.0.0.3");
      await y.logged("message lost");
      await emptied(y);
    });

    await emptied(x);
    await emptied(y);
    assert.equal((await arrived(x, "jones", 2)).length, 2);
    assert.equal((await arrived(y, "smith", 2)).length, 2);
    assert.doesNotMatch(x.log() + y.log(), /message deferred/);
  },
});

Deno.test("two daemons that each take the other for a domain's host stop the loop (CL-7)", async () => {
  const loop = { MX: [[10, "mx.x.test"], [10, "mx.y.test"]] } as const;
  await using network = await startMailNetwork(DOMAINS, { "loop.test": loop });
  await using x = await startAt(network, "x.test", "jones:mail/jones\n");
  await using y = await startAt(network, "y.test", "smith:mail/smith\n");
  await submit(x.port, { from: "jones@x.test", to: ["a@loop.test"] }, "127.0.0.2");
  const [report] = await arrived(x, "jones");
  assert.match(new TextDecoder().decode(report), /^Status: 5\.4\.6$/m);
  assert.doesNotMatch(y.log(), /connection accepted/);
});

function assertArrived(
  messages: readonly Uint8Array[],
  returnPath: string,
  host: string,
  text: string,
): void {
  const [bytes] = messages;
  assert(bytes);
  const last = part(bytes);
  assert.equal(last.returnPath, returnPath);
  assert.match(last.received, new RegExp(`^from ${host.replaceAll(".", "\\.")} `));
  // Below the last host's field stands the first one's.
  const first = /^Received: from client\.example .*\n(?:\t.*\n)*/.exec(
    new TextDecoder().decode(last.text),
  )?.[0];
  assert(first);
  assertSameBytes(
    last.text.subarray(first.length),
    Uint8Array.from(text.replaceAll("\r\n", "\n"), (octet) => octet.charCodeAt(0)),
  );
}
