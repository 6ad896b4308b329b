/** Who opens the certificate's key: the receivers, and no other thread. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { makePair } from "../support/key_pair.ts";
import { missing, skippable } from "../support/programs.ts";
import { reload } from "../support/reload.ts";
import { noStrace, Threads, underStrace } from "../support/strace.ts";
import { submit } from "../support/submit.ts";

const NAME = "of all threads the receivers alone open the key, after their start";

Deno.test({
  ...skippable(NAME, noStrace ?? missing(["openssl"])),
  fn: async () => {
    await using folder = await makeFolder();
    const { certificate, key } = await makePair();
    await using daemon = await startDaemon({
      under: underStrace(`${folder.path}/trace`),
      mail: "WORKERS = 2\nTLS_CERT = tls.crt\nTLS_KEY = tls.key\nRELAY_HOST = 127.0.0.1:1\n",
      files: { "tls.crt": certificate, "tls.key": key },
    });
    await submit(daemon.port, { to: ["jones@me.example", "mary@other.example"] });
    assert.match(await reload(daemon), / info reloaded /);
    assert.equal((await daemon.stop()).code, 0);
    await daemon.logged(" info stopped");

    const threads = await Threads.read(`${folder.path}/trace`);
    // Files are read by helpers that each thread of the daemon makes for itself.
    const openers = threads.calling(/^open(at)?\(.*"[^"]*\/tls\.key"/);
    const within = (one: number, others: readonly number[]) =>
      threads.ancestry(one).some((thread) => others.includes(thread));
    const { first } = threads;
    // The first thread has tried the ports.
    const receivers = threads.calling(/^listen\(/).filter((one) => one !== first);
    assert.equal(receivers.length, 4);
    assert.deepEqual(openers.filter((one) => !within(one, receivers)), []);
    for (const receiver of receivers) {
      assert(openers.some((opener) => within(opener, [receiver])), "each has read it");
    }
    // The counter-proof: others do read the configuration, and the queue.
    const others = threads.calling(/^open(at)?\(.*"[^"]*\/(user\.conf|spool\/queue\/[^"]*)"/);
    assert(others.some((one) => !within(one, receivers)));
  },
});
