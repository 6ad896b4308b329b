/** Who waits while the system removes a file, as strace has seen it: some disks take their time. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { skippable } from "../support/programs.ts";
import { noStrace, Threads, underStrace } from "../support/strace.ts";
import { submit } from "../support/submit.ts";

const CALLS = "sendto,sendmsg,?unlink,?unlinkat";

Deno.test({
  ...skippable("who talks to servers does not wait for the removal of what was sent", noStrace),
  fn: async () => {
    await using folder = await makeFolder();
    const file = `${folder.path}/trace`;
    await using next = await startDaemon({ mail: "HOSTNAME = elsewhere.example" });
    {
      await using daemon = await startDaemon({
        mail: `RELAY_HOST = 127.0.0.1:${next.port}`,
        under: underStrace(file, CALLS),
      });
      const id = await submit(daemon.port, { to: ["smith@elsewhere.example"] });
      await daemon.logged(`info message sent id=${id}`);
      await daemon.stop();
    }
    const threads = await Threads.read(file);
    const removing = threads.calling(/^unlink.*\/queue\/\w+\.eml"/);
    assert.equal(removing.length, 1, "the text is removed");
    const talking = threads.calling(/^send(to|msg)\(.*"DATA\\r\\n"/);
    assert.equal(talking.length, 1, "and was sent");
    assert(!talking.includes(removing[0]!), "by another thread");
  },
});
