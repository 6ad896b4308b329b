/** Sockets that listen, and the loop that accepts from one. */

import type { MailConf } from "../config/mail_conf.ts";
import type { Log } from "../log.ts";

/** Milliseconds to wait after a failed accept; doubled up to the second figure while it goes on failing. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1000;

/** A socket could not be opened. The message says why and what would help. */
export class ListenError extends Error {
  override name = "ListenError";
}

/**
 * The addresses to listen on. `::` takes IPv4 too, so beside it no IPv4 address is free; each of
 * the rest counts once.
 */
export function listenAddresses({ LISTEN_ADDR }: Pick<MailConf, "LISTEN_ADDR">): string[] {
  const both = LISTEN_ADDR.includes("::");
  return [...new Set(LISTEN_ADDR)].filter((address) => !both || address.includes(":"));
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
    throw new ListenError(`cannot listen on ${hostPort(hostname, port)}: ${reason(error, port)}`);
  }
}

function reason(error: unknown, port: number): string {
  if (error instanceof Deno.errors.AddrInUse) return "another program does already";
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
export function hostPort(hostname: string, port: number): string {
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
      if (wait === FIRST_PAUSE) log.error("accept failed", { error: String(error) });
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(2 * wait, LONGEST_PAUSE);
      continue;
    }
    wait = FIRST_PAUSE;
    accepted(conn);
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
}
