/** The envelope behind a text: found where it is, and damage where it is not what it should be. */

import assert from "node:assert/strict";
import { idOf, message } from "./messages.ts";
import { encodeEnclosed } from "../../src/queue/enclosed.ts";
import { bytesOf, newSpool, readText } from "./spooled.ts";

const ID = idOf(1);
const TEXT = "Subject: Hi\r\n\r\nbody\r\n";
const ENCLOSED = new TextDecoder().decode(encodeEnclosed(message({ size: TEXT.length })));

/** A spool whose one message has this file. */
async function spoolWith(content: string) {
  const { disk, spool } = await newSpool();
  const file = await disk.create(spool.textPath(ID));
  await file.write(bytesOf(content));
  file.close();
  return spool;
}

Deno.test("a text and what is made for it are a message", async () => {
  const spool = await spoolWith(TEXT + ENCLOSED);
  const found = await spool.read(ID);
  assert.deepEqual(found, message({ size: TEXT.length }));
  assert.deepEqual(await readText(spool, found), bytesOf(TEXT));
});

for (
  const [what, content, reason] of [
    ["nothing", "", "there is no envelope behind the text"],
    ["a text alone", TEXT, "there is no envelope behind the text"],
    ["a few octets", "7\n", "there is no envelope behind the text"],
    ["an end that is cut off", TEXT + ENCLOSED.slice(0, -1), "no envelope behind"],
    ["more behind the end", `${TEXT}${ENCLOSED}more\r\n`, "no envelope behind"],
    ["a length that leads nowhere", `${TEXT}${"9".repeat(10)}\n`, "the envelope is no JSON"],
    ["a length that is too short", `${TEXT}${ENCLOSED.slice(0, -11)}         9\n`, "is no JSON"],
    ["a length of nothing", `${TEXT}         0\n`, "the envelope is no JSON"],
    ["a text that is shorter", TEXT.slice(1) + ENCLOSED, "not as long as its envelope says"],
    ["a text that is longer", `x${TEXT}${ENCLOSED}`, "not as long as its envelope says"],
    [
      "another message",
      TEXT + ENCLOSED.replace(ID, idOf(2)),
      "the envelope belongs to another message",
    ],
  ] as const
) {
  Deno.test(`a file with ${what} is damaged`, async () => {
    const spool = await spoolWith(content);
    await assert.rejects(spool.read(ID), { name: "DamagedError", message: new RegExp(reason) });
  });
}
