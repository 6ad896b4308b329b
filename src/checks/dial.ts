/** A connection to a mail server for as long as a check takes. */

import type { Clock } from "../clock.ts";
import type { Dialer, Wire } from "../relay/wire.ts";

/** Milliseconds from dialling to the last answer. */
const PATIENCE = 5000;

export interface DialFacts {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly patience?: number;
}

/** The time was over; `cause` is what came of that. */
export class NoAnswerError extends Error {
  override name = "NoAnswerError";
}

/**
 * Connects, lets `act` do what it does, and closes. Rejects with what the system says, what `act`
 * rejects with, or NoAnswerError.
 */
export async function dialled<T>(
  address: string,
  port: number,
  { dialer, clock, patience = PATIENCE }: DialFacts,
  act: (wire: Wire) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  let wire: Wire | undefined;
  const callOff = clock.after(patience, () => {
    limit.abort();
    wire?.close();
  });
  try {
    wire = await dialer.connect(address, port, limit.signal);
    limit.signal.throwIfAborted();
    return await act(wire);
  } catch (error) {
    throw limit.signal.aborted ? new NoAnswerError("no answer", { cause: error }) : error;
  } finally {
    callOff();
    wire?.close();
  }
}

/** Why there was no conversation, for people. */
export function trouble(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "connection refused";
  return error instanceof Error ? error.message : String(error);
}
