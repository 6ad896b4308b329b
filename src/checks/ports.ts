/** Whether the daemon could listen where it shall, or most likely does already. */

import type { Configuration } from "../config/configuration.ts";
import type { Problem } from "../config/problem.ts";
import { PORT_VARIABLES, type ServicePort, servicesOf } from "../config/service.ts";
import { settingProblem, tryListening } from "../daemon/ports.ts";
import { isSpoolLocked } from "../daemon/spool.ts";
import { listenAddresses, type ListenError, printHostPort } from "../receiver/listener.ts";
import { type Finding, good, join, note, unknown } from "./finding.ts";

export interface PortsFound {
  /** What would keep the daemon from serving. */
  readonly problems: readonly Problem[];
  /** Whether ports are in the way that a daemon with the same spool may have. */
  readonly serving: boolean;
  /** What the try came to where it failed; this user may lack the right that the service has. */
  readonly errors: readonly ListenError[];
}

/** Tries to listen; `attempt` is how, so that a test needs no ports. */
export async function tryPorts(
  configuration: Configuration,
  attempt: (configuration: Configuration) => readonly ListenError[] = tryListening,
): Promise<PortsFound> {
  const errors = attempt(configuration);
  const only = (...kinds: ListenError["kind"][]) => errors.filter((e) => kinds.includes(e.kind));
  const serving = only("taken", "privileged").length > 0 && await hasDaemon(configuration);
  const inTheWay = serving ? only("other") : only("other", "taken");
  return {
    problems: inTheWay.map((error) => settingProblem(configuration, error)),
    serving,
    errors,
  };
}

/** One finding for the port of each service. */
export function checkPorts({ mail }: Configuration, found: PortsFound): Finding[] {
  return servicesOf(mail).map((one) => checkPort(listenAddresses(mail), one, found));
}

function checkPort(
  addresses: readonly string[],
  { service, port }: ServicePort,
  { serving, errors }: PortsFound,
): Finding {
  const about = `port ${port}`;
  const places = join(addresses.map((address) => printHostPort(address, port)));
  const kinds = errors.filter(({ setting }) => setting === PORT_VARIABLES[service])
    .map(({ kind }) => kind);
  // Who has a port is not told: it may be new in mail.conf, and another program's.
  if (kinds.includes("taken")) {
    const are = addresses.length === 1 ? "is taken" : "are taken, or some of them";
    const likely = "denosmtpd works with the same queue, so it is most likely its own";
    return note(about, `${places} ${are}; ${likely}`);
  }
  if (!kinds.includes("privileged")) return good(about, `${places} can be listened on`);
  const is = `${places} cannot be tried by this user`;
  // Who listens on such a port is not told to whoever may not.
  if (serving) return note(about, `${is}; denosmtpd works with the same queue already`);
  const need = "ports below 1024 need root or CAP_NET_BIND_SERVICE, which the service has";
  return unknown(about, `${is}: ${need}`);
}

/** A lock that cannot be looked at is not this daemon's. */
async function hasDaemon({ mail }: Configuration): Promise<boolean> {
  try {
    return await isSpoolLocked(mail.SPOOL_DIR);
  } catch {
    return false;
  }
}
