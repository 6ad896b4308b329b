/** A reload while 20 clients at a time come and go loses no connection and no message. */

import assert from "node:assert/strict";
import { COMMAND } from "../support/daemon.ts";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { makeMachine, noMachines, setOn } from "../support/net_namespace.ts";
import { find, skippable } from "../support/programs.ts";
import { type ReloadOutcome, reloadUnderLoad } from "./reload_load.ts";

const RELOADS = 10;

/** What must hold everywhere: each message that was taken is there once, and no other. */
function assertNoMessageLost({ connections, taken, stored, log }: ReloadOutcome): void {
  assert(connections > RELOADS);
  assert.deepEqual(stored.toSorted(), taken.toSorted());
  assert.equal(log.match(/ info reloaded /g)?.length, RELOADS);
  assert.doesNotMatch(log, / error |connection (refused|lost|timed out)/);
}

/** A connection that waits at a socket when that is closed goes to another one. */
const MIGRATION = "net.ipv4.tcp_migrate_req";

function noMigration(): string | undefined {
  const sysctl = new Deno.Command(find("sysctl") ?? "sysctl", { args: ["-n", MIGRATION] });
  return sysctl.outputSync().success ? undefined : "this kernel does not move connections on";
}

const PROGRAMS = [
  { which: "the executable", command: [EXECUTABLE], reason: notCompiled() },
  { which: "the daemon from source", command: COMMAND, reason: undefined },
];

for (const { which, command, reason } of PROGRAMS) {
  const name = `${which} is reloaded ten times under load and loses no connection and no message`;
  Deno.test({
    ...skippable(name, reason ?? noMachines ?? noMigration()),
    async fn() {
      await using machine = await makeMachine("reloads");
      await setOn(machine, `${MIGRATION}=1`);
      const { under } = machine;
      const outcome = await reloadUnderLoad({ command, under, reloads: RELOADS });
      assert.deepEqual(outcome.losses, []);
      assertNoMessageLost(outcome);
    },
  });
}

Deno.test("a system that does not move connections on resets some before they are greeted", async () => {
  const outcome = await reloadUnderLoad({ command: COMMAND, reloads: RELOADS });
  for (const { error } of outcome.losses) {
    assert.match(error, /^(connect|greeting): ConnectionReset/);
  }
  assertNoMessageLost(outcome);
});
