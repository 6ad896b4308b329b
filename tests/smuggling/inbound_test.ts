/** Whatever stands between two messages but CR LF . CR LF leaves them one, and that one is refused. */

import assert from "node:assert/strict";
import { ok, startText, stored } from "../../src/smtp/reply.ts";
import { Session } from "../../src/smtp/session.ts";
import { readMailbox, startDaemon } from "../support/daemon.ts";
import { envelope, greetedClient } from "../support/submit.ts";
import { bytes, characters, CONTENTS, MARKS, onWire, readText, SMUGGLED } from "./payloads.ts";

interface Conversation {
  /** The code of each reply behind 354. */
  readonly codes: readonly string[];
  /** The texts that were taken. */
  readonly texts: readonly string[];
  /** Transactions that began. */
  readonly begun: number;
}

/** A session that takes all that it can, up to the text; then these pieces come, each on its own. */
function converse(pieces: readonly Uint8Array[]): Conversation {
  const session = new Session({
    host: "me.example",
    maxMessageSize: 1_000_000,
    maxRecipients: 100,
  });
  const texts: string[] = [];
  let [text, begun] = ["", 0];
  const feed = (piece: Uint8Array) => {
    session.feed(piece.slice());
    for (let event = session.next(); event; event = session.next()) {
      switch (event.kind) {
        case "mail":
          begun++;
          session.answer(ok);
          break;
        case "recipient":
          session.answer(ok);
          break;
        case "data":
          text = "";
          session.answer(startText);
          break;
        case "text":
          text += characters(event.bytes);
          break;
        case "end":
          texts.push(text);
          session.answer(stored("x"));
      }
    }
  };
  feed(
    bytes("HELO a.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<jones@me.example>\r\nDATA\r\n"),
  );
  assert.match(session.takeOutput(), /\r\n354 [^\r]*\r\n$/);
  pieces.forEach(feed);
  const replies = session.takeOutput().trimEnd().split("\r\n");
  return { codes: replies.map((line) => line.slice(0, 3)), texts, begun };
}

/** The octets in every number of packets, with every cut between `from` and `to`, both included. */
function* cut(wire: Uint8Array, from: number, to: number): Generator<Uint8Array[]> {
  const places = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  for (let chosen = 0; chosen < 2 ** places.length; chosen++) {
    const at = [0, ...places.filter((_, i) => chosen >> i & 1), wire.length];
    yield at.slice(1).map((end, i) => wire.subarray(at[i], end)).filter(({ length }) => length > 0);
  }
}

for (const start of ["", "a\r\nb"]) {
  for (const mark of MARKS) {
    const where = start === "" ? "at the start of a text" : "in a text";
    Deno.test(`${JSON.stringify(mark)} ${where} smuggles nothing, however it is cut (P-1, BUG-1 to BUG-4, BUG-6)`, () => {
      const wire = `${start}${mark}${SMUGGLED}.\r\n`;
      const { length, refused, content } = readText(wire);
      const rest = wire.slice(length);
      // One reply to the text. Only behind the five octets are there commands.
      const expected: Conversation = rest === ""
        ? { codes: [refused ? "554" : "250"], texts: refused ? [] : [content], begun: 1 }
        : { codes: ["554", "250", "250", "354", "250"], texts: [secondText()], begun: 2 };
      assert.equal(rest !== "", mark.includes("\r\n.\r\n"));
      const from = start.length;
      for (const pieces of cut(bytes(wire), from, from + mark.length)) {
        assert.deepEqual(converse(pieces), expected, JSON.stringify(pieces.map(characters)));
      }
      assert.deepEqual(
        converse(Array.from(bytes(wire), (octet) => Uint8Array.of(octet))),
        expected,
      );
    });
  }
}

function secondText(): string {
  return SMUGGLED.slice(SMUGGLED.indexOf("DATA\r\n") + 6);
}

Deno.test("only NULs that hide nothing are let through", () => {
  const taken = MARKS.filter((mark) => !readText(`a${mark}${SMUGGLED}.\r\n`).refused);
  assert.deepEqual(taken, ["\r\n.\0\r\n"]);
});

for (const [what, content] of CONTENTS) {
  Deno.test(`a text with ${what} comes out as it was`, () => {
    const wire = onWire(content);
    assert.deepEqual(readText(wire), { length: wire.length, refused: false, content });
    assert.deepEqual(converse([bytes(wire)]), { codes: ["250"], texts: [content], begun: 1 });
  });
}

Deno.test("over TCP each text has one answer, whatever is in it, and smith gets no mail", async () => {
  await using daemon = await startDaemon();
  const taken: string[] = [];
  for (const mark of MARKS.filter((mark) => !mark.includes("\r\n.\r\n"))) {
    const wire = `a${mark}${SMUGGLED}.\r\n`;
    const { refused, content } = readText(wire);
    const client = await greetedClient(daemon.port);
    try {
      for (const pieces of [[wire], ["a", ...mark, wire.slice(1 + mark.length)]]) {
        await envelope(client, { to: ["jones@me.example"] });
        for (const piece of pieces) await client.send(bytes(piece));
        const answer = refused ? /^554 5\.6\.0 / : /^250 2\.0\.0 OK, stored/;
        assert.match(await client.reply() ?? "", answer, JSON.stringify(mark));
        assert.equal(await client.command("NOOP"), "250 2.0.0 OK", JSON.stringify(mark));
        if (!refused) taken.push(content.replaceAll("\r\n", "\n"));
      }
      await client.command("QUIT");
    } finally {
      client.close();
    }
  }
  const messages = await readMailbox(`${daemon.folder}/mail/jones`);
  const texts = messages.map((message) => characters(message.bytes));
  assert.equal(texts.length, taken.length);
  texts.forEach((text, i) => assert(text.endsWith(`\n${taken[i]}`)));
  assert.deepEqual(await readMailbox(`${daemon.folder}/mail/smith`), []);
});
