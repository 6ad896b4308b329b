/** The daemon as the person sees it who reads its log. */

import { systemClock } from "../clock.ts";
import { ConfigurationError, problemText } from "../config/problem.ts";
import { SettingError } from "../config/setting_error.ts";
import { Daemon } from "../daemon/daemon.ts";
import { tooFewDescriptors } from "../daemon/descriptors.ts";
import { dropPermissions } from "../daemon/permissions.ts";
import { type Files, type FirstPlan, nextPlan, type Plan } from "../daemon/plan.ts";
import { settingProblem } from "../daemon/ports.ts";
import { system } from "../daemon/system.ts";
import type { Threads } from "../daemon/threads.ts";
import { type Warning, warningsOf } from "../daemon/warnings.ts";
import type { LineWriter } from "../line_writer.ts";
import { type Fields, type Log, logTo } from "../log.ts";
import { type ListenPlace, printHostPort } from "../receiver/listener.ts";
import { VERSION } from "./help.ts";
import { Exit } from "./terminal.ts";

/** What it stands on. */
export interface ServiceParts {
  readonly threads: Threads;
  /** Where its log goes. */
  readonly output: LineWriter;
}

export class Service {
  readonly #files: Files;
  readonly #output: LineWriter;
  readonly #daemon: Daemon;
  #plan: Plan;
  #log: Log;

  private constructor(files: Files, plan: Plan, { threads, output }: ServiceParts) {
    this.#files = files;
    this.#output = output;
    this.#plan = plan;
    this.#log = this.#logOf(plan);
    this.#daemon = new Daemon(plan, {
      threads,
      clock: systemClock,
      process: Deno.pid,
      machine: system.hostName(),
      log: () => this.#log,
    });
  }

  /** Throws ConfigurationError where that is the reason that it cannot, else what happened. */
  static async start(files: Files, plan: FirstPlan, parts: ServiceParts): Promise<Service> {
    const descriptors = tooFewDescriptors(plan.configuration);
    const service = new Service(files, plan, parts);
    const [queue, warnings] = await Promise.all([
      service.#begin(),
      warningsOf(plan.configuration),
    ]);
    // For a reload that may need it: soon it cannot be asked for any more.
    system.stateDirectory();
    await dropPermissions();
    // Lines of one turn go out together.
    service.#tell(plan, [...descriptors, ...warnings]);
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
      this.#log = this.#logOf(plan);
      this.#tell(plan, await warningsOf(plan.configuration));
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

  #tell({ made }: Plan, warnings: readonly Warning[]): void {
    for (const { event, fields } of warnings) this.#log.warn(event, fields);
    for (const mailbox of made) this.#log.info("mailbox made", { mailbox });
  }

  #logOf({ configuration }: Plan): Log {
    const { LOG_LEVEL, LOG_FORMAT } = configuration.mail;
    return logTo(this.#output, LOG_LEVEL, LOG_FORMAT);
  }
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
