/** A host that lets in few connections of one address gets a long queue over those. */

import assert from "node:assert/strict";
import { readMailbox, startDaemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { submit } from "../support/submit.ts";
import { deferredIn, emptied, retryAll } from "../support/waiting.ts";

const MESSAGES = 200;
/** Fewer than are opened where so many wait, and no fewer than come at first. */
const CONNECTIONS = 3;

Deno.test("a queue goes over as many connections as its host lets in, and nothing is put off for that", async () => {
  const port = freePort();
  await using daemon = await startDaemon({ mail: `RELAY_HOST = 127.0.0.1:${port}\n` });
  for (let n = 0; n < MESSAGES; n++) await submit(daemon.port, { to: ["jones@there.example"] });
  await deferredIn(daemon);
  const before = deferrals();
  await using host = await startDaemon({
    mail: `LISTEN_PORT = ${port}\nLOCAL_DOMAINS = there.example\n` +
      `MAX_CLIENTS_PER_ADDRESS = ${CONNECTIONS}\n`,
  });
  await retryAll(daemon);
  await emptied(daemon, 30_000);
  assert.equal((await readMailbox(`${host.folder}/mail/jones`)).length, MESSAGES);
  assert.equal(deferrals(), before);
  assert.match(host.log(), / connection refused /);

  function deferrals(): number {
    return daemon.log().split(" message deferred ").length - 1;
  }
});
