/** `denosmtpd MAIL_CONF USER_CONF`: the daemon. */

import {
  type Configuration,
  problemAt,
  readConfiguration,
  sharedPlaces,
} from "../config/configuration.ts";
import { withoutEffect } from "../config/mail_conf.ts";
import { ConfigurationError, problemText } from "../config/problem.ts";
import { prepareMailboxes, sweepMailboxes, withRealPaths } from "../daemon/mailboxes.ts";
import { dropPermissions } from "../daemon/permissions.ts";
import { listenProblem, tryListening } from "../daemon/ports.ts";
import { Parts } from "../daemon/parts.ts";
import { readReach } from "../daemon/reach.ts";
import { lockSpool, prepareSpool } from "../daemon/spool.ts";
import { system } from "../daemon/system.ts";
import { SystemDisk } from "../disk.ts";
import { LineWriter } from "../line_writer.ts";
import { type Log, logTo } from "../log.ts";
import { Spool } from "../queue/spool.ts";
import { ListenError } from "../receiver/listener.ts";
import { VERSION } from "./help.ts";
import { complain, Exit } from "./terminal.ts";

/** Milliseconds for texts that are coming in when the daemon is told to stop. */
const GRACE = 10_000;
/** Milliseconds within which a second signal is an echo of the first: Ctrl-C reaches all of a group. */
const ECHO = 1000;

const output = new LineWriter(Deno.stdout);

/** Serves until SIGTERM or SIGINT; a second one, later, ends it at once. */
export async function serve(mailFile: string, userFile: string): Promise<Exit> {
  // From the first moment on: a signal during the start must not end it without order.
  const stop = stopSignal();
  // A write beyond the largest file allowed shall fail, not end the daemon.
  Deno.addSignalListener("SIGXFSZ", () => {});
  let started: Awaited<ReturnType<typeof start>> | undefined;
  Deno.addSignalListener("SIGHUP", () => {
    const reason = "a new configuration needs a restart";
    started?.log.warn("signal ignored", { signal: "SIGHUP", reason });
  });
  try {
    started = await start(mailFile, userFile);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    error.problems.map(problemText).forEach(complain);
    return Exit.Misused;
  }
  const { log, parts } = started;
  try {
    const signal = await Promise.race([stop, parts.failed]);
    log.info("stopping", { signal });
    await parts.stop(GRACE);
    log.info("stopped");
    return Exit.Good;
  } catch (error) {
    log.error("stopped", { error: String(error) });
    return Exit.Failed;
  } finally {
    await output.flush();
  }
}

/** Throws ConfigurationError where it cannot. */
async function start(mailFile: string, userFile: string): Promise<{ log: Log; parts: Parts }> {
  const { configuration, made, swept } = await prepare(
    await readConfiguration(mailFile, userFile, system),
  );
  const { mail, users } = configuration;
  const parts = new Parts(configuration, await readReach(configuration));
  const { addresses, waiting } = await working(parts);
  await dropPermissions();
  const log = logTo(output, mail.LOG_LEVEL, mail.LOG_FORMAT);
  for (const name of withoutEffect(configuration.lines.keys())) {
    log.warn("setting without effect", { name, reason: "not part of this version" });
  }
  for (const mailbox of made) log.info("mailbox made", { mailbox });
  if (swept > 0) log.warn("unfinished messages removed", { files: swept });
  log.info("started", {
    version: VERSION,
    host: mail.HOSTNAME,
    listening: addresses,
    users: users.length,
    queue: waiting,
  });
  return { log, parts };
}

/** Mailboxes and spool made, swept and known by their real paths. Throws ConfigurationError. */
async function prepare(
  configuration: Configuration,
): Promise<{ configuration: Configuration; made: readonly string[]; swept: number }> {
  const disk = new SystemDisk();
  const mailboxes = await prepareMailboxes(configuration, disk);
  const problems = [
    ...mailboxes.problems,
    ...await prepareSpool(configuration, disk),
    ...tryListening(configuration),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
  const prepared = await withRealPaths(configuration);
  // Now that symbolic links are followed.
  const shared = sharedPlaces(prepared);
  if (shared.length > 0) throw new ConfigurationError(shared);
  const { SPOOL_DIR } = prepared.mail;
  if (!await lockSpool(SPOOL_DIR)) {
    const message = `another denosmtpd works in ${SPOOL_DIR}, each needs a spool of its own`;
    throw new ConfigurationError([problemAt(prepared, "SPOOL_DIR", message)]);
  }
  const swept = await sweepMailboxes(prepared, disk) +
    await new Spool(disk, SPOOL_DIR, "start").sweep();
  return { configuration: prepared, made: mailboxes.made, swept };
}

async function working(parts: Parts): ReturnType<Parts["start"]> {
  try {
    return await parts.start();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    throw new ConfigurationError([listenProblem(parts.configuration, error)]);
  }
}

function stopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => {
        asked ??= performance.now();
        if (performance.now() - asked > ECHO) Deno.exit(Exit.Failed);
        resolve(signal);
      });
    }
  });
}
