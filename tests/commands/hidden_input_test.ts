/** A terminal that goes away while somebody types. */

import assert from "node:assert/strict";
import { HiddenInput, Interrupted, type Terminal } from "../../src/commands/hidden_input.ts";

/** Gives what is typed, read by read, and is gone then. */
class Typed implements Terminal {
  raw = false;
  constructor(readonly texts: string[]) {}

  read(into: Uint8Array): Promise<number | null> {
    const text = this.texts.shift();
    if (text === undefined) return Promise.resolve(null);
    return Promise.resolve(new TextEncoder().encodeInto(text, into).written);
  }

  setRaw(raw: boolean): void {
    this.raw = raw;
  }
}

function ask(terminal: Terminal): Promise<Uint8Array> {
  return new HiddenInput(terminal, () => {}).ask("Password: ");
}

for (const typed of [[], ["sec"], ["sec", "ret"]]) {
  Deno.test(`what was begun at a terminal that is gone is no line (${typed.join("|")})`, async () => {
    const terminal = new Typed([...typed]);
    await assert.rejects(ask(terminal), Interrupted);
    assert.equal(terminal.raw, false);
  });
}

Deno.test("a line may come in pieces", async () => {
  const line = await ask(new Typed(["se", "cret\r"]));
  assert.equal(new TextDecoder().decode(line), "secret");
});
