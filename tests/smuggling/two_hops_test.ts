/** Two hosts of ours in a row: the second one has what the first one took, and never a message more. */

import assert from "node:assert/strict";
import { type Daemon, readMailbox, startDaemon } from "../support/daemon.ts";
import { submit } from "../support/submit.ts";
import { RawClient } from "../support/raw_client.ts";
import { emptied } from "../support/waiting.ts";
import { bytes, characters, CONTENTS, MARKS, readText, SMUGGLED } from "./payloads.ts";

/** One line where the text is not taken. */
const REFUSED = "refused";

Deno.test("over two hosts every text is one message or none, octet for octet (BUG-3)", async () => {
  await using second = await startDaemon({ mail: "HOSTNAME = second.example", users: "*:mail\n" });
  await using first = await startDaemon({ mail: `RELAY_HOST = 127.0.0.1:${second.port}` });
  const taken = new Map<string, string>();
  for (const [i, mark] of MARKS.entries()) {
    const wire = `a${mark}${SMUGGLED}.\r\n`;
    const { refused, content, length } = readText(wire);
    // What follows the mark is the client's own.
    const outcome = await send(first, `mark${i}`, wire.slice(0, length));
    assert.equal(outcome === REFUSED, refused, JSON.stringify(mark));
    if (!refused) taken.set(outcome, content);
  }
  for (const [i, [, text]] of CONTENTS.entries()) {
    const id = await submit(first.port, { to: [`content${i}@second.example`], text });
    taken.set(id, text);
  }
  await emptied(first);
  assert.doesNotMatch(first.log(), /message deferred|report queued/);

  const messages = await readMailbox(`${second.folder}/mail`);
  assert.equal(messages.length, taken.size);
  for (const message of messages) {
    const text = characters(message.bytes);
    // The first host's id, in the field that it has put on top.
    const [field, id] = /^Received: from client\.example .*\n\t.* id (\w+).*\n\t.*\n/m.exec(text) ??
      [];
    assert(field && id, text.slice(0, 1000));
    const content = taken.get(id)?.replaceAll("\r\n", "\n");
    assert(text.slice(text.indexOf(field) + field.length) === content, `${id} is another`);
    taken.delete(id);
  }
  assert.doesNotMatch(second.log(), /mallory/);
});

/** The whole of what stands behind DATA as it is; the id, or REFUSED. */
async function send({ port }: Daemon, to: string, wire: string): Promise<string> {
  const client = await RawClient.connect(port);
  try {
    await client.reply();
    for (
      const command of [
        "EHLO client.example",
        "MAIL FROM:<jones@me.example>",
        `RCPT TO:<${to}@second.example>`,
      ]
    ) {
      assert.match(await client.command(command) ?? "", /^250/);
    }
    assert.match(await client.command("DATA") ?? "", /^354 /);
    await client.send(bytes(wire));
    const reply = await client.reply() ?? "";
    assert.equal(await client.command("NOOP"), "250 2.0.0 OK");
    assert.match(await client.command("QUIT") ?? "", /^221 /);
    const [, id] = /^250 2\.0\.0 OK, stored as (\w+)$/.exec(reply) ?? [];
    if (id === undefined) assert.match(reply, /^554 5\.6\.0 /);
    return id ?? REFUSED;
  } finally {
    client.close();
  }
}
