/** Replies as octets: the same as ever, however many there have been. */

import assert from "node:assert/strict";
import { octetsOf } from "../../src/receiver/octets.ts";

Deno.test("what is said comes out as it is, the first time and later, usual or not", () => {
  const outputs = [
    "250 2.1.0 Sender OK\r\n",
    ...Array.from({ length: 300 }, (_, i) => `250 2.0.0 OK, stored as ${i}\r\n`),
    "250 2.0.0 OK\r\n".repeat(1000),
  ];
  for (let time = 0; time < 3; time++) {
    for (const output of outputs) {
      assert.equal(new TextDecoder().decode(octetsOf(output)), output);
    }
  }
});
