/** From a host's address to a connection over which its mail can be sent, protected as it must be. */

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { ChannelError, Connection, type Timeouts } from "./connection.ts";
import type { HostMemory } from "./hosts.ts";
import type { Protection } from "./protection.ts";
import type { Target } from "./route.ts";
import * as verdict from "./verdict.ts";
import type { Dialer, Wire } from "./wire.ts";

export interface OpeningParts {
  readonly dialer: Dialer;
  readonly hosts: HostMemory;
  readonly clock: Clock;
  readonly log: Log;
  /** Own name for EHLO. */
  readonly host: string;
  readonly timeouts?: Timeouts;
}

/** Milliseconds for a TCP connection; there may be another address to try. */
const CONNECT = 30_000;

/**
 * Connects to a host. Where the protection leaves it open, a host with which TLS fails is connected to
 * once more, in plain text. Rejects with ChannelError; `aborted` ends every wait.
 */
export async function openConnection(
  target: Target,
  protection: Protection,
  parts: OpeningParts,
  aborted: AbortSignal,
): Promise<Connection> {
  const { hosts, log } = parts;
  const attempt = { target, protection, parts, aborted };
  const { tls, implicit } = protection;
  if (tls !== "may" || implicit) return await connect(attempt, tls !== "none");
  if (hosts.canTls(target)) {
    try {
      return await connect(attempt, true);
    } catch (error) {
      const failed = error instanceof ChannelError && error.kind === "tls";
      if (!failed || aborted.aborted) throw error;
      hosts.markPlain(target);
      const { host, address } = target;
      log.warn("sending in plain text", { host, address, error: error.message });
    }
  }
  return await connect(attempt, false);
}

interface Attempt {
  readonly target: Target;
  readonly protection: Protection;
  readonly parts: OpeningParts;
  readonly aborted: AbortSignal;
}

async function connect(attempt: Attempt, wantsTls: boolean): Promise<Connection> {
  const { target, parts: { clock, host, timeouts }, aborted } = attempt;
  const { tls, implicit, login, serverName } = attempt.protection;
  const wire = await dial(attempt);
  // Until there is a connection to close, an abort must end the wait for the greeting.
  const close = () => wire.close();
  aborted.addEventListener("abort", close);
  try {
    // It may have come just before.
    if (aborted.aborted) {
      close();
      throw new ChannelError("lost", verdict.noConnection(target.host, "it was called off"));
    }
    return await Connection.open(wire, {
      host,
      serverName,
      wantsTls,
      verify: tls === "verify",
      implicitTls: implicit,
      ...login ? { login } : {},
      clock,
      ...timeouts ? { timeouts } : {},
    });
  } finally {
    aborted.removeEventListener("abort", close);
  }
}

async function dial({ target, parts: { dialer, clock }, aborted }: Attempt): Promise<Wire> {
  const { host, address, port } = target;
  const late = new AbortController();
  const cancel = clock.after(CONNECT, () => late.abort());
  try {
    return await dialer.connect(address, port, AbortSignal.any([aborted, late.signal]));
  } catch (error) {
    throw new ChannelError("lost", verdict.noConnection(host, reason(error)));
  } finally {
    cancel();
  }
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "no server listens there";
  if (error instanceof DOMException && error.name === "AbortError") return "no answer";
  return error instanceof Error ? error.message : String(error);
}
