/** Enhanced status codes of replies (RFC 3463). */

import assert from "node:assert/strict";
import { statusOf } from "../../src/queue/status.ts";

const CASES: readonly (readonly [what: string, code: number, own: string, status: string])[] = [
  ["unknown user", 550, "5.1.1", "5.1.1"],
  ["no such domain", 550, "5.1.2", "5.1.2"],
  ["null MX", 556, "5.1.10", "5.1.10"],
  ["no answer", 451, "4.4.1", "4.4.1"],
  ["DNS trouble", 451, "4.4.3", "4.4.3"],
  ["a loop", 554, "5.4.6", "5.4.6"],
  ["mailbox full, for now", 452, "4.2.2", "4.2.2"],
  ["mailbox full", 552, "5.2.2", "5.2.2"],
  ["too big", 552, "5.3.4", "5.3.4"],
  ["policy", 550, "5.7.1", "5.7.1"],
  ["one of three digits", 550, "5.7.509", "5.7.509"],
  ["leading zeros", 550, "5.07.001", "5.7.1"],

  ["shutting down", 421, "", "4.3.2"],
  ["mailbox busy", 450, "", "4.2.0"],
  ["error in processing", 451, "", "4.3.0"],
  ["no storage", 452, "", "4.3.1"],
  ["a host without mail", 521, "", "5.3.2"],
  ["not found, no access, or policy", 550, "", "5.0.0"],
  ["moved", 551, "", "5.1.6"],
  ["over its storage", 552, "", "5.2.2"],
  ["bad mailbox name", 553, "", "5.1.3"],
  ["failed", 554, "", "5.0.0"],
  ["a domain without mail", 556, "", "5.1.10"],
  ["another temporary one", 499, "", "4.0.0"],
  ["another permanent one", 571, "", "5.0.0"],
  ["success", 250, "", "2.0.0"],

  ["a permanent status with a temporary code", 450, "5.1.1", "4.2.0"],
  ["a temporary status with a permanent code", 552, "4.2.2", "5.2.2"],
  ["success with a permanent code", 550, "2.1.5", "5.0.0"],
  ["no status", 550, "5.1", "5.0.0"],
  ["more than a status", 550, "5.1.1.1", "5.0.0"],
  ["numbers too long", 550, "5.1.1000", "5.0.0"],
  ["an end of line in it", 550, "5.1.1\r\nX: y", "5.0.0"],
];

for (const [what, code, own, status] of CASES) {
  Deno.test(`status of ${code} ${own || "alone"}, ${what}: ${status} (DSN-6)`, () => {
    assert.equal(statusOf({ code, status: own, lines: ["text"] }), status);
  });
}

Deno.test("every code has a status of a known class, without leading zeros (RFC 3464 2.3.4)", () => {
  for (let code = 200; code < 600; code++) {
    const status = statusOf({ code, status: "", lines: [""] });
    assert.match(status, /^[245]\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/);
    if (code < 300 || code >= 400) assert.equal(status[0], String(code)[0]);
  }
});
