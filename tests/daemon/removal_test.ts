/** `queue remove` of a message that is being sent: it goes when that is over, whatever comes between. */

import assert from "node:assert/strict";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { type RecordingServer, startRecordingServer } from "../support/recording_server.ts";
import { submit } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { emptied, queue } from "../support/waiting.ts";

/** A host that keeps one recipient waiting until `answer` has its reply. */
function slowHost() {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  const host: RecordingServer = startRecordingServer({
    reply(command) {
      if (!command.includes("slow@")) return undefined;
      asked.resolve();
      return answer.promise;
    },
  });
  return { host, asked: asked.promise, answer: answer.resolve };
}

const requestsOf = ({ folder }: Daemon) => namesIn(`${folder}/spool/requests`);

/** Somebody asks to remove a message that is under way, and does not wait for it. */
async function askForRemoval(daemon: Daemon, id: string): Promise<void> {
  await Deno.writeTextFile(`${daemon.folder}/spool/requests/remove-${id}`, "");
  // Whoever asks later is not kept waiting, and by then the daemon has heard of both.
  const { code } = await queue(daemon, "retry", "--all");
  assert.equal(code, 0);
}

Deno.test("a message removed while it is sent is gone when the request is", async () => {
  const { host, asked, answer } = slowHost();
  await using _ = host;
  await using daemon = await startDaemon({ mail: host.setting });
  const id = await submit(daemon.port, { to: ["slow@far.example"] });
  await asked;
  await askForRemoval(daemon, id);
  assert.deepEqual(await requestsOf(daemon), [`remove-${id}`]);
  answer("451 4.3.0 Later");
  await until("the request is done", async () => (await requestsOf(daemon)).length === 0);
  assert.deepEqual(await namesIn(`${daemon.folder}/spool/queue`), []);
  await daemon.logged(`warn message removed id=${id}`);
  assert.deepEqual(host.taken, []);
});

Deno.test("a removal that the daemon did not live to see is done by the next one", async () => {
  const { host: slow, asked } = slowHost();
  await using _ = slow;
  await using host = startRecordingServer();
  await using daemon = await startDaemon({ mail: slow.setting });
  const id = await submit(daemon.port, { to: ["slow@far.example"] });
  await asked;
  await askForRemoval(daemon, id);
  daemon.process.kill("SIGKILL");
  await daemon.process.status;
  assert.deepEqual(await requestsOf(daemon), [`remove-${id}`]);
  await using again = await startDaemon({
    mail: `SPOOL_DIR = ${daemon.folder}/spool\n${host.setting}`,
    users: `jones:${daemon.folder}/mail/jones\n`,
  });
  await emptied(daemon);
  await again.logged(`warn message removed id=${id}`);
  await until("the request is done", async () => (await requestsOf(daemon)).length === 0);
  assert.deepEqual(host.taken, []);
});
