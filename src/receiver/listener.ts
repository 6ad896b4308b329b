/** Sockets that listen, and the loop that accepts from one. */

import type { MailConf } from "../config/mail_conf.ts";
import type { Log } from "../log.ts";

/** Milliseconds to wait after a failed accept; doubled up to the second figure while it goes on failing. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1000;

/** A socket could not be opened. The message says why and what would help. */
export class ListenError extends Error {
  override name = "ListenError";

  /** `setting` is the one to change. */
  constructor(message: string, readonly setting: "LISTEN_ADDR" | "LISTEN_PORT") {
    super(message);
  }
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

/** Opens a socket on each address of the configuration, or none. Throws ListenError. */
export function openListeners(
  mail: Pick<MailConf, "LISTEN_ADDR" | "LISTEN_PORT">,
): Deno.TcpListener[] {
  const listeners: Deno.TcpListener[] = [];
  try {
    for (const hostname of listenAddresses(mail)) {
      listeners.push(open(hostname, mail.LISTEN_PORT));
    }
  } catch (error) {
    listeners.forEach((listener) => listener.close());
    throw error;
  }
  return listeners;
}

function open(hostname: string, port: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    const setting = error instanceof Deno.errors.AddrNotAvailable ? "LISTEN_ADDR" : "LISTEN_PORT";
    const place = printHostPort(hostname, port);
    throw new ListenError(`cannot listen on ${place}: ${reason(error, port)}`, setting);
  }
}

function reason(error: unknown, port: number): string {
  if (error instanceof Deno.errors.AddrInUse) return "another program listens there already";
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine does not have that address";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return port < 1024
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

/**
 * Accepts connections until the listener is closed. Out of descriptors or out of luck, accept fails
 * at once and again and again: the loop pauses and goes on, and says so once.
 */
export async function acceptLoop(
  listener: Deno.TcpListener,
  accepted: (conn: Deno.TcpConn) => void,
  log: Log,
): Promise<void> {
  let wait = FIRST_PAUSE;
  for (;;) {
    let conn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (isClosed(error)) return;
      if (isGone(error)) continue;
      if (wait === FIRST_PAUSE) log.error("accept failed", { error: String(error) });
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(2 * wait, LONGEST_PAUSE);
      continue;
    }
    wait = FIRST_PAUSE;
    accepted(conn);
  }
}

/** A client that left before it was let in: the next one need not wait for that. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}
