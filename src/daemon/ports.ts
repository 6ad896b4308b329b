/** The ports of a configuration before the daemon listens: tried out rather than guessed. */

import { type Configuration, problemAt } from "../config/configuration.ts";
import type { Problem } from "../config/problem.ts";
import { ListenError, listenPlaces, openListeners } from "../receiver/listener.ts";
import type { Place } from "../relay/relay.ts";

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
  held: readonly Place[],
): { readonly places: readonly Place[]; readonly problems: readonly Problem[] } {
  try {
    const places = listenPlaces(configuration.mail).map((place) => find(place, held));
    return { places, problems: [] };
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    return { places: [], problems: [listenProblem(configuration, error)] };
  }
}

/** Throws ListenError. */
function find({ address, port }: Place, held: readonly Place[]): Place {
  const own = held.find((one) => {
    return port === 0 ? one.address === address : one.port === port;
  });
  if (own) return { address, port: own.port };
  const [listener] = openListeners([{ address, port }], { shared: false });
  const found = listener?.addr.port ?? port;
  listener?.close();
  return { address, port: found };
}

/** A problem of listening, at the line of mail.conf that can mend it. */
export function listenProblem(
  configuration: Configuration,
  { message, setting }: ListenError,
): Problem {
  return problemAt(configuration, setting, message);
}
