/** What leaves is one message to every reader, by whatever rule that reader finds the end of a text. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { type MailNetwork, startMailNetwork } from "../support/mail_network.ts";
import { missing, skippable } from "../support/programs.ts";
import { run } from "../support/run.ts";
import { securedClient } from "../support/secured_client.ts";
import { HOST, PASSWORD, startSecuredDaemon } from "../support/secured_daemon.ts";
import { submit, transaction } from "../support/submit.ts";
import { emptied } from "../support/waiting.ts";
import { bytes, CONTENTS, MARKS, SHORT, SMUGGLED } from "./payloads.ts";
import {
  DOMAINS,
  type Read,
  READERS,
  type Readers,
  type Rule,
  RULES,
  startReaders,
} from "./readers.ts";

/** One mailbox at each of them. */
const EVERYWHERE = RULES.map((rule) => `joe@${rule}.test`);

/** What a server without 8BITMIME must not get (CL-26). */
const isEightBit = (text: string) => /[\x80-\xff]/.test(text);

interface World extends AsyncDisposable {
  readonly network: MailNetwork;
  readonly readers: Readers;
}

async function startWorld(): Promise<World> {
  const network = await startMailNetwork(DOMAINS);
  const readers = await startReaders(network.port);
  return {
    network,
    readers,
    async [Symbol.asyncDispose]() {
      await readers[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
    },
  };
}

/** Fails where a reader was said anything but commands of a transaction, or by anybody else. */
function assertCommands({ commands }: Readers, senders: RegExp): void {
  const all = [...new Set(commands)];
  const usual =
    /^(EHLO \S+|MAIL FROM:<\S*>( \S+)*|RCPT TO:<(joe|nobody)@\w+\.test>|DATA|RSET|QUIT)$/;
  assert.deepEqual(all.filter((command) => !usual.test(command)), []);
  const froms = all.filter((command) => command.startsWith("MAIL"));
  assert.deepEqual(froms.filter((command) => !senders.test(command)), []);
}

/** Fails where a line could end elsewhere, or a period alone be an end. */
function assertInert(text: string): void {
  assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/);
  const stuffed = text.split("\r\n").filter((line) => line.startsWith("."));
  assert.deepEqual(stuffed.filter((line) => !line.startsWith("..")), []);
}

/**
 * Fails unless each reader has read one text of this sender, and all the same one: what a host adds on
 * top, and the content.
 */
function assertOneText(readers: Readers, sender: string, top: RegExp, content: string): void {
  const read = (rule: Rule): Read[] => {
    return readers.texts(rule).filter((text) => text.sender.startsWith(`MAIL FROM:<${sender}>`));
  };
  const [only, ...more] = read("strict");
  assert(only && more.length === 0, `${more.length + 1} texts at the strict reader`);
  assertInert(only.text);
  const plain = only.text.replace(/(^|\r\n)\./g, "$1");
  assert(plain.endsWith(content), "it does not end as it was");
  assert.match(plain.slice(0, plain.length - content.length), top);
  for (const rule of RULES) {
    const expected = rule === "nul" ? only.text.replaceAll("\0", "") : only.text;
    const texts = rule === "seven" && isEightBit(content) ? [] : [expected];
    assert(
      texts.length === read(rule).length && read(rule).every(({ text }, i) => text === texts[i]),
      `the reader by the rule ${rule} has read something else`,
    );
  }
}

const RECEIVED = /^Received: from client\.example [^\r]+\r\n(?:\t[^\r]+\r\n)+/.source;

Deno.test({
  ...skippable(
    "what is relayed or forwarded is one message to all (CL-24, CL-25, BUG-3, BUG-5)",
    missing(["python3"]),
  ),
  fn: async (t) => {
    await using world = await startWorld();
    const { network, readers } = world;
    await using daemon = await startDaemon({
      mail: network.mail,
      users: `away:${EVERYWHERE.join(", ")}\n*:mail/all\n`,
    });
    const ways = [
      { way: "relayed", to: EVERYWHERE, contents: CONTENTS },
      { way: "forwarded", to: ["away@me.example"], contents: SHORT },
    ];
    for (const { way, to, contents } of ways) {
      for (const [i, [, text]] of contents.entries()) {
        await submit(daemon.port, { from: `${way}${i}@me.example`, to, text });
      }
    }
    await emptied(daemon);
    for (const { way, contents } of ways) {
      for (const [i, [what, content]] of contents.entries()) {
        await t.step(`${way}: ${what}`, () => {
          assertOneText(readers, `${way}${i}@me.example`, new RegExp(`${RECEIVED}$`), content);
        });
      }
    }
    assertCommands(readers, /^MAIL FROM:<(relayed|forwarded)\d+@me\.example>/);
  },
});

Deno.test({
  ...skippable(
    "what a user submits is one message to all, with what is added on top",
    missing(["python3", "openssl"]),
  ),
  fn: async (t) => {
    await using world = await startWorld();
    const { network, readers } = world;
    await using daemon = await startSecuredDaemon({ mail: network.mail });
    const client = await securedClient(daemon, "submissions");
    try {
      const login = new TextEncoder().encode(`\0jones\0${PASSWORD}`).toBase64();
      assert.match(await client.command(`AUTH PLAIN ${login}`) ?? "", /^235 /);
      for (const [i, [, text]] of SHORT.entries()) {
        const message = { from: `jones+${i}@${HOST}`, to: EVERYWHERE, text };
        assert.match(await transaction(client, message), /^250 /);
      }
      await client.command("QUIT");
    } finally {
      client.close();
    }
    await emptied(daemon);
    const added =
      "Date: [^\\r]+\\r\\nMessage-ID: [^\\r]+\\r\\nFrom: jones[^\\r]+\\r\\n(?:\\r\\n)?$";
    for (const [i, [what, content]] of SHORT.entries()) {
      await t.step(what, () => {
        assertOneText(readers, `jones+${i}@${HOST}`, new RegExp(RECEIVED + added), content);
      });
    }
    assertCommands(readers, new RegExp(`^MAIL FROM:<(jones\\+\\d+@${HOST})?>`));
  },
});

Deno.test({
  ...skippable(
    "a report that repeats a header, and a reply of periods, is one message to all",
    missing(["python3"]),
  ),
  fn: async (t) => {
    await using world = await startWorld();
    const { network, readers } = world;
    await using daemon = await startDaemon({ mail: network.mail });
    for (const rule of RULES) {
      for (const [, text] of SHORT) {
        await submit(daemon.port, {
          from: `joe@${rule}.test`,
          to: ["nobody@strict.test"],
          // The line is in the header, and so is all that follows up to an empty one.
          text: `Subject: hi\r\n${text}`,
        });
      }
    }
    await emptied(daemon);
    for (const rule of RULES) {
      await t.step(rule, () => {
        const texts = readers.texts(rule);
        assert.equal(texts.length, SHORT.length);
        for (const { sender, recipients, text } of texts) {
          assert.match(sender, /^MAIL FROM:<>/);
          assert.deepEqual(recipients, [`RCPT TO:<joe@${rule}.test>`]);
          assertInert(text);
          assert.match(text, /^[\t\r\n -~]+$/);
          const [, boundary] = /\tboundary="(.+)"\r\n/.exec(text) ?? [];
          assert(boundary && text.endsWith(`\r\n--${boundary}--\r\n`), "it is not whole");
        }
      });
    }
    assertCommands(readers, /^MAIL FROM:<(|joe@\w+\.test)>/);
  },
});

Deno.test({
  ...skippable(
    "what the command send is given is one message, however its lines end",
    missing(["python3"]),
  ),
  fn: async (t) => {
    await using world = await startWorld();
    const { network, readers } = world;
    const hostile = MARKS.map((mark) => `a${mark}${SMUGGLED}`).join("");
    // One that leaves NULs out would need a text without them: this one is the caller's own.
    const rules = RULES.filter((rule) => rule !== "nul");
    for (const rule of rules) {
      await t.step(rule, async () => {
        const server = `${READERS[rule]}:${network.port}`;
        const to = `joe@${rule}.test`;
        const words = ["send", "--from", "jones@me.example", "--to", to, "--server", server];
        const { code, err } = await run(words, { input: bytes(hostile) });
        assert.deepEqual([code, err], [0, ""]);
        const [only, ...more] = readers.texts(rule);
        assert(only && more.length === 0);
        assertInert(only.text);
        assert.equal(only.text.match(/Nobody sent this/g)?.length, MARKS.length);
      });
    }
    assertCommands(readers, /^MAIL FROM:<jones@me\.example>/);
  },
});
