/** A receiver in the test's own process, on free ports, with mailboxes in memory. */

import { systemClock } from "../../src/clock.ts";
import { addressBook, type Configuration } from "../../src/config/configuration.ts";
import { type MailConf, readMailConf } from "../../src/config/mail_conf.ts";
import type { Service } from "../../src/config/service.ts";
import type { Log } from "../../src/log.ts";
import { makeMaildir } from "../../src/mailbox/maildir.ts";
import { MessageIds } from "../../src/queue/id.ts";
import { Spool } from "../../src/queue/spool.ts";
import { CertificateFiles } from "../../src/receiver/certificate_files.ts";
import { listenPlaces } from "../../src/receiver/listener.ts";
import { Logins } from "../../src/receiver/logins.ts";
import { Receiver } from "../../src/receiver/receiver.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { silentLog } from "./silent_log.ts";

export interface LocalReceiver {
  readonly receiver: Receiver;
  readonly disk: MemoryDisk;
  /** Of the first address. */
  readonly port: number;
  /** Of a service, on the first address. */
  portFor(service: Service): number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `secret`, made to cost next to nothing. */
const HASH = "$scrypt$ln=10,r=1,p=1$c2FsdG9mam9uZXM$zRozh15SHleaZVZ8U5P0bQ";

/**
 * `settings` are lines of mail.conf; jones and smith have the mailboxes /jones and /smith, and log in
 * by the password `secret`.
 */
export async function startReceiver(
  settings = "",
  log: Log = silentLog,
): Promise<LocalReceiver> {
  const disk = new MemoryDisk();
  for (const user of ["jones", "smith"]) await makeMaildir(disk, `/${user}`);
  const spool = new Spool(disk, "/spool", "test");
  await spool.make();
  const configuration = await configure(settings);
  const book = addressBook(configuration);
  const places = listenPlaces(configuration.mail);
  const certificate = await openCertificate(configuration.mail, log);
  const receiver = new Receiver(configuration, places, {
    disk,
    spool,
    ids: new MessageIds({ now: Date.now, random: Math.random }),
    log,
    now: Date.now,
    random: Math.random,
    process: 1,
    machine: "machine.example",
    queued: () => {},
    ...certificate ? { certificate } : {},
    logins: new Logins(configuration.users, (domain) => book.isLocal(domain), {
      clock: systemClock,
      log,
    }),
  });
  const portFor = (service: Service) => {
    const address = receiver.addresses[places.findIndex((place) => place.service === service)];
    return Number(address?.split(":").at(-1));
  };
  return {
    receiver,
    disk,
    port: portFor("smtp"),
    portFor,
    [Symbol.asyncDispose]: () => receiver.stop(0),
  };
}

/** Looked after until the receiver stops. */
function openCertificate(
  { TLS_CERT, TLS_KEY }: MailConf,
  log: Log,
): Promise<CertificateFiles> | undefined {
  if (TLS_CERT === undefined || TLS_KEY === undefined) return undefined;
  return CertificateFiles.open({ certificate: TLS_CERT, key: TLS_KEY }, {
    clock: systemClock,
    log,
  });
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
      return { name, target: { directory: `/${name}` }, hash: HASH, line: i + 1 };
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
