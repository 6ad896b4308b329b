/** The receiver's thread as the daemon sees it. */

import assert from "node:assert/strict";
import { type Configuration, readConfiguration } from "../../src/config/configuration.ts";
import { ReceiverWorker } from "../../src/daemon/receiver_worker.ts";

async function configuration(mail: string): Promise<Configuration> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    const files = [`${folder}/mail.conf`, `${folder}/user.conf`] as const;
    await Deno.writeTextFile(files[0], `HOSTNAME = me.example\nLOG_LEVEL = error\n${mail}\n`);
    await Deno.writeTextFile(files[1], "john:/nowhere/john\n");
    return await readConfiguration(...files, {
      hostName: () => "unused.example",
      stateDirectory: () => undefined,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("it listens, and stops when it is told to", async () => {
  const worker = new ReceiverWorker(await configuration("LISTEN_PORT = 0"));
  const [address] = await worker.listening();
  assert.match(address ?? "", /^127\.0\.0\.1:\d+$/);
  await worker.stop(0);
});

Deno.test("that it cannot listen is told with the setting to change", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const worker = new ReceiverWorker(await configuration(`LISTEN_PORT = ${taken.addr.port}`));
  await assert.rejects(worker.listening(), { name: "ListenError", setting: "LISTEN_PORT" });
  await worker.stop(0);
  taken.close();
});

Deno.test("its death is told", async () => {
  const good = await configuration("LISTEN_PORT = 0");
  // No reader of mail.conf lets this through; a thread that meets it dies.
  const broken = { ...good, mail: { ...good.mail, HOSTNAME: undefined as unknown as string } };
  const worker = new ReceiverWorker({
    ...broken,
    users: [{ ...good.users[0]!, name: 7 as never }],
  });
  await assert.rejects(worker.failed);
});
