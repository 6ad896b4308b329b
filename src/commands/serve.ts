/** `denosmtpd MAIL_CONF USER_CONF`: the daemon. */

import { ConfigurationError, problemText } from "../config/problem.ts";
import { type Files, firstPlan } from "../daemon/plan.ts";
import { workers } from "../daemon/threads.ts";
import { ThreadsAhead } from "../daemon/threads_ahead.ts";
import { LineWriter } from "../line_writer.ts";
import type { Service } from "./service.ts";
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
    service = await start({ mail, users });
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

/**
 * Throws ConfigurationError where that is the reason that it cannot, else what happened. The threads are
 * what takes longest: they come up while the rest is tried out, and loaded.
 */
async function start(files: Files): Promise<Service> {
  const threads = new ThreadsAhead(workers);
  try {
    const plan = await firstPlan(files, (outline) => {
      threads.make(outline);
      // Asked for again below, where it matters whether it can be had.
      import("./service.ts").catch(() => {});
    });
    const { Service } = await import("./service.ts");
    return await Service.start(files, plan, { threads, output });
  } finally {
    threads.end();
  }
}
