/** Sockets that listen. */

import type { MailConf, VariableName } from "../config/mail_conf.ts";
import { PORT_VARIABLES, type Ports, type Service, servicesOf } from "../config/service.ts";
import { SettingError } from "../config/setting_error.ts";
import type { Place } from "../relay/relay.ts";

/** A socket could not be opened. */
export class ListenError extends SettingError {
  override name = "ListenError";

  /**
   * `kind` tells apart what another user, or the daemon that listens there, would not meet: the
   * right to ports below 1024 is missing, or the port is taken.
   */
  constructor(
    message: string,
    setting: VariableName,
    readonly kind: "privileged" | "taken" | "other" = "other",
  ) {
    super(message, setting);
  }
}

/** Where something is listened for. */
export interface ListenPlace extends Place {
  readonly service: Service;
}

/**
 * The addresses to listen on, each once. `::` takes every address of both families and `0.0.0.0`
 * every IPv4 one, so beside them those are taken.
 */
export function listenAddresses({ LISTEN_ADDR }: Pick<MailConf, "LISTEN_ADDR">): string[] {
  if (LISTEN_ADDR.includes("::")) return ["::"];
  const all = LISTEN_ADDR.includes("0.0.0.0");
  return [...new Set(LISTEN_ADDR)].filter((address) => {
    return !all || address === "0.0.0.0" || address.includes(":");
  });
}

/** The same for each service with the port that the configuration names, which may be 0 for any. */
export function listenPlaces(mail: Pick<MailConf, "LISTEN_ADDR"> & Ports): ListenPlace[] {
  const addresses = listenAddresses(mail);
  return servicesOf(mail).flatMap(({ service, port }) => {
    return addresses.map((address) => ({ address, port, service }));
  });
}

/**
 * Opens a socket at each place, or none. Those that are `shared` may stand beside others of the same
 * user that are too: the system spreads the clients over them. Throws ListenError.
 */
export function openListeners(
  places: readonly ListenPlace[],
  { shared }: { readonly shared: boolean },
): Deno.TcpListener[] {
  const listeners: Deno.TcpListener[] = [];
  try {
    for (const place of places) listeners.push(open(place, shared));
  } catch (error) {
    listeners.forEach((listener) => listener.close());
    throw error;
  }
  return listeners;
}

function open({ address, port, service }: ListenPlace, reusePort: boolean): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address, port, reusePort });
  } catch (error) {
    const isAway = error instanceof Deno.errors.AddrNotAvailable;
    const setting = isAway ? "LISTEN_ADDR" : PORT_VARIABLES[service];
    const place = printHostPort(address, port);
    const message = `cannot listen on ${place}: ${reason(error, port)}`;
    throw new ListenError(message, setting, kindOf(error, port));
  }
}

/** Ports below this one need a right. */
const PRIVILEGED = 1024;

function kindOf(error: unknown, port: number): ListenError["kind"] {
  if (error instanceof Deno.errors.AddrInUse) return "taken";
  const isDenied = error instanceof Deno.errors.PermissionDenied;
  return isDenied && port < PRIVILEGED ? "privileged" : "other";
}

function reason(error: unknown, port: number): string {
  if (error instanceof Deno.errors.AddrInUse) return "another program listens there already";
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine does not have that address";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return port < PRIVILEGED
      ? "ports below 1024 need root or CAP_NET_BIND_SERVICE, a port like 2525 does not"
      : "the system does not permit it";
  }
  if (error instanceof Deno.errors.NotCapable) return "Deno lacks --allow-net for it";
  return error instanceof Error ? error.message : String(error);
}

/** `192.0.2.1:25`, `[2001:db8::1]:25` */
export function printHostPort(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
