/** The ports of a configuration before the daemon's start: tried out rather than guessed. */

import { type Configuration, problemAt } from "../config/configuration.ts";
import type { Problem } from "../config/problem.ts";
import { ListenError, openListeners } from "../receiver/listener.ts";

/** Tries to listen on every address. Returns what stands in the way. */
export function tryListening(configuration: Configuration): Problem[] {
  try {
    openListeners(configuration.mail).forEach((listener) => listener.close());
    return [];
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return [listenProblem(configuration, error)];
  }
}

/** A problem of listening, at the line of mail.conf that can mend it. */
export function listenProblem(
  configuration: Configuration,
  { message, setting }: ListenError,
): Problem {
  return problemAt(configuration, setting, message);
}
