/** `denosmtpd MAIL_CONF USER_CONF`: the daemon. */

import { type Configuration, readConfiguration } from "../config/configuration.ts";
import { ConfigurationError } from "../config/problem.ts";
import { withoutEffect } from "../config/mail_conf.ts";
import { ReceiverWorker, StartError } from "../daemon/daemon.ts";
import { dropPermissions } from "../daemon/permissions.ts";
import { listenProblem, prepareMailboxes } from "../daemon/preflight.ts";
import { system } from "../daemon/system.ts";
import { SystemDisk } from "../disk.ts";
import { type Log, startLog } from "../log.ts";
import { VERSION } from "./help.ts";
import { complain, Exit } from "./terminal.ts";

/** Milliseconds for texts that are coming in when the daemon is told to stop. */
const GRACE = 10_000;

/** Serves until SIGTERM or SIGINT; a second one ends it at once. */
export async function serve(mailFile: string, userFile: string): Promise<Exit> {
  // From the first moment on: a signal during the start must not end it without order.
  const stop = stopSignal();
  let started;
  try {
    started = await start(mailFile, userFile);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    error.message.split("\n").forEach(complain);
    return Exit.Misused;
  }
  const { log, receiver } = started;
  try {
    const signal = await Promise.race([stop, receiver.failed]);
    log.info("stopping", { signal });
    await receiver.stop(GRACE);
  } catch (error) {
    log.error("stopped", { error: String(error) });
    return Exit.Failed;
  }
  log.info("stopped");
  return Exit.Good;
}

/** Throws ConfigurationError where it cannot. */
async function start(
  mailFile: string,
  userFile: string,
): Promise<{ log: Log; receiver: ReceiverWorker }> {
  const configuration = await readConfiguration(mailFile, userFile, system);
  const { mail, users } = configuration;
  const problems = await prepareMailboxes(configuration, new SystemDisk());
  if (problems.length > 0) throw new ConfigurationError(problems);
  const receiver = new ReceiverWorker(configuration);
  const addresses = await listening(receiver, configuration);
  await dropPermissions();
  const log = startLog(mail.LOG_LEVEL, mail.LOG_FORMAT);
  for (const name of withoutEffect(configuration.lines.keys())) {
    log.warn("setting without effect", { name, reason: "not part of this version" });
  }
  log.info("started", {
    version: VERSION,
    host: mail.HOSTNAME,
    listening: addresses,
    users: users.length,
  });
  return { log, receiver };
}

async function listening(
  receiver: ReceiverWorker,
  configuration: Configuration,
): Promise<readonly string[]> {
  try {
    return await receiver.listening();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new ConfigurationError([listenProblem(configuration, error.message)]);
  }
}

function stopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => {
        if (asked) Deno.exit(Exit.Failed);
        asked = true;
        resolve(signal);
      });
    }
  });
}
