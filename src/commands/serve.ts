/** `denosmtpd MAIL_CONF USER_CONF`: the daemon. */

import { ConfigurationError, problemText } from "../config/problem.ts";
import { systemClock } from "../clock.ts";
import { Daemon } from "../daemon/daemon.ts";
import { tooFewDescriptors } from "../daemon/descriptors.ts";
import { dropPermissions } from "../daemon/permissions.ts";
import { type Files, firstPlan, nextPlan, type Plan } from "../daemon/plan.ts";
import { settingProblem } from "../daemon/ports.ts";
import { system } from "../daemon/system.ts";
import { workers } from "../daemon/threads.ts";
import { type Warning, warningsOf } from "../daemon/warnings.ts";
import { LineWriter } from "../line_writer.ts";
import { type Fields, type Log, logTo } from "../log.ts";
import { type ListenPlace, printHostPort } from "../receiver/listener.ts";
import { SettingError } from "../config/setting_error.ts";
import { VERSION } from "./help.ts";
import { Knock, stopSignal } from "./signals.ts";
import { complain, Exit } from "./terminal.ts";

const output = new LineWriter(Deno.stdout);

/** Serves until SIGTERM or SIGINT; a second one, later, ends it at once. SIGHUP reads the files anew. */
export async function serve(mail: string, users: string): Promise<Exit> {
  // From the first moment on: a signal during the start must not end it without order.
  const stop = stopSignal();
  const hangUp = new Knock();
  Deno.addSignalListener("SIGHUP", () => hangUp.knock());
  // A write beyond the largest file allowed shall fail, not end the daemon.
  Deno.addSignalListener("SIGXFSZ", () => {});
  let service: Service;
  try {
    service = await Service.start({ mail, users });
  } catch (error) {
    await output.flush();
    if (error instanceof ConfigurationError) {
      error.problems.map(problemText).forEach(complain);
      return Exit.Misused;
    }
    complain(`cannot start: ${error instanceof Error ? error.message : error}`);
    return Exit.Failed;
  }
  hangUp.answer = () => service.reload();
  try {
    return await service.until(stop);
  } finally {
    await output.flush();
  }
}

/** The daemon as the person sees it who reads its log. */
class Service {
  readonly #files: Files;
  readonly #daemon: Daemon;
  #plan: Plan;
  #log: Log;

  private constructor(files: Files, plan: Plan) {
    this.#files = files;
    this.#plan = plan;
    this.#log = logOf(plan);
    this.#daemon = new Daemon(plan, {
      threads: workers,
      clock: systemClock,
      process: Deno.pid,
      machine: system.hostName(),
      log: () => this.#log,
    });
  }

  /** Throws ConfigurationError where that is the reason that it cannot, else what happened. */
  static async start(files: Files): Promise<Service> {
    const plan = await firstPlan(files);
    const descriptors = tooFewDescriptors(plan.configuration);
    const service = new Service(files, plan);
    const queue = await service.#begin();
    // For a reload that may need it: soon it cannot be asked for any more.
    system.stateDirectory();
    await dropPermissions();
    await service.#tell(plan, descriptors);
    const log = service.#log;
    if (plan.swept > 0) log.warn("unfinished messages removed", { files: plan.swept });
    log.info("started", { version: VERSION, ...facts(plan), queue });
    return service;
  }

  async #begin(): Promise<number> {
    try {
      return await listening(this.#plan, this.#daemon.start());
    } catch (error) {
      // What works already may have clients.
      await this.#daemon.stop().catch(() => {});
      throw error;
    }
  }

  /** Goes on by what the files say now; where they are wrong, by what they said before. Never rejects. */
  async reload(): Promise<void> {
    try {
      const plan = await nextPlan(this.#files, this.#plan);
      if (!await listening(plan, this.#daemon.reload(plan))) return;
      this.#plan = plan;
      this.#log = logOf(plan);
      await this.#tell(plan);
      this.#log.info("reloaded", facts(plan));
    } catch (error) {
      const problems = error instanceof ConfigurationError
        ? error.problems.map(problemText)
        : [String(error)];
      for (const problem of problems) this.#log.error("configuration refused", { problem });
    }
  }

  /** Waits for a signal, or for the end of itself, and stops in good order. */
  async until(stop: Promise<Deno.Signal>): Promise<Exit> {
    let exit = Exit.Good;
    try {
      const signal = await Promise.race([stop, this.#daemon.failed]);
      this.#log.info("stopping", { signal });
    } catch (error) {
      exit = Exit.Failed;
      this.#log.error("stopping", { error: String(error) });
    }
    try {
      await this.#daemon.stop();
      this.#log.info("stopped");
    } catch (error) {
      exit = Exit.Failed;
      this.#log.error("stopped", { error: String(error) });
    }
    return exit;
  }

  async #tell({ configuration, made }: Plan, found: readonly Warning[] = []): Promise<void> {
    for (const { event, fields } of [...found, ...await warningsOf(configuration)]) {
      this.#log.warn(event, fields);
    }
    for (const mailbox of made) this.#log.info("mailbox made", { mailbox });
  }
}

function logOf({ configuration }: Plan): Log {
  const { LOG_LEVEL, LOG_FORMAT } = configuration.mail;
  return logTo(output, LOG_LEVEL, LOG_FORMAT);
}

/** Where each service is, by the field of the log that says so. */
const SERVICES = [
  ["listening", "smtp"],
  ["submission", "submission"],
  ["submissions", "submissions"],
] as const;

/** Undefined where it is nowhere. */
function printPlaces(
  places: readonly ListenPlace[],
  service: ListenPlace["service"],
): string[] | undefined {
  const own = places.filter((place) => place.service === service);
  return own.length > 0 ? own.map(({ address, port }) => printHostPort(address, port)) : undefined;
}

function facts({ configuration, places }: Plan): Fields {
  return {
    host: configuration.mail.HOSTNAME,
    ...Object.fromEntries(
      SERVICES.map(([field, service]) => [field, printPlaces(places, service)]),
    ),
    users: configuration.users.length,
  };
}

/** That it cannot listen is a matter of the configuration. */
async function listening<T>({ configuration }: Plan, started: Promise<T>): Promise<T> {
  try {
    return await started;
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw new ConfigurationError([settingProblem(configuration, error)]);
  }
}
