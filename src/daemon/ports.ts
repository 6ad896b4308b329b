/** The ports of a configuration before the daemon listens: tried out rather than guessed. */

import type { Configuration } from "../config/configuration.ts";
import { type Problem, problemAt } from "../config/problem.ts";
import { SettingError } from "../config/setting_error.ts";
import {
  ListenError,
  type ListenPlace,
  listenPlaces,
  openListeners,
} from "../receiver/listener.ts";

/** Tries to listen on every address. Returns what stands in the way at each. */
export function tryListening({ mail }: Configuration): readonly ListenError[] {
  return listenPlaces(mail).flatMap((place) => {
    try {
      find(place, []);
      return [];
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      return [error];
    }
  });
}

/**
 * Where a configuration says to listen, ports of 0 replaced by free ones, and what stands in the way.
 * `held` is where this process listens already: beside its own sockets others can stand.
 */
export function findPlaces(
  configuration: Configuration,
  held: readonly ListenPlace[],
): { readonly places: readonly ListenPlace[]; readonly problems: readonly Problem[] } {
  try {
    const places = listenPlaces(configuration.mail).map((place) => find(place, held));
    return { places, problems: [] };
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return { places: [], problems: [settingProblem(configuration, error)] };
  }
}

/** Throws ListenError. */
function find(place: ListenPlace, held: readonly ListenPlace[]): ListenPlace {
  const { address, port, service } = place;
  const own = held.find((one) => {
    return port === 0 ? one.address === address && one.service === service : one.port === port;
  });
  if (own) return { ...place, port: own.port };
  const [listener] = openListeners([place], { shared: false });
  const found = listener?.addr.port ?? port;
  listener?.close();
  return { ...place, port: found };
}

/** The problem at the line of mail.conf that can mend it. */
export function settingProblem(
  configuration: Configuration,
  { message, setting }: SettingError,
): Problem {
  return problemAt(configuration, setting, message);
}
