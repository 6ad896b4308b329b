/** A receiver in the test's own process, on a free port, with mailboxes in memory. */

import type { Configuration } from "../../src/config/configuration.ts";
import { readMailConf } from "../../src/config/mail_conf.ts";
import type { Log } from "../../src/log.ts";
import { makeMaildir } from "../../src/mailbox/maildir.ts";
import { MessageIds } from "../../src/queue/id.ts";
import { Spool } from "../../src/queue/spool.ts";
import { listenPlaces } from "../../src/receiver/listener.ts";
import { Receiver } from "../../src/receiver/receiver.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { silentLog } from "./silent_log.ts";

export interface LocalReceiver {
  readonly receiver: Receiver;
  readonly disk: MemoryDisk;
  /** Of the first address. */
  readonly port: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `settings` are lines of mail.conf; jones and smith have the mailboxes /jones and /smith. */
export async function startReceiver(
  settings = "",
  log: Log = silentLog,
): Promise<LocalReceiver> {
  const disk = new MemoryDisk();
  for (const user of ["jones", "smith"]) await makeMaildir(disk, `/${user}`);
  const spool = new Spool(disk, "/spool", "test");
  await spool.make();
  const configuration = await configure(settings);
  const receiver = new Receiver(configuration, listenPlaces(configuration.mail), {
    disk,
    spool,
    ids: new MessageIds({ now: Date.now, random: Math.random }),
    log,
    now: Date.now,
    random: Math.random,
    process: 1,
    machine: "machine.example",
    queued: () => {},
  });
  return {
    receiver,
    disk,
    port: Number(receiver.addresses[0]!.split(":").at(-1)),
    [Symbol.asyncDispose]: () => receiver.stop(0),
  };
}

async function configure(settings: string): Promise<Configuration> {
  const file = await Deno.makeTempFile({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(file, `HOSTNAME = me.example\nLISTEN_PORT = 0\n${settings}\n`);
    const { conf, lines } = await readMailConf(file, {
      hostName: () => "unused.example",
      addresses: () => [],
      stateDirectory: () => undefined,
    });
    const users = ["jones", "smith"].map((name, i) => {
      return { name, target: { directory: `/${name}` }, hash: undefined, line: i + 1 };
    });
    return {
      mail: conf,
      users,
      ownAddresses: conf.LISTEN_ADDR,
      files: { mail: file, users: "user.conf" },
      lines,
    };
  } finally {
    await Deno.remove(file);
  }
}
