/**
 * A program: strict clients, some at a time, one connection after the other, until standard input ends.
 * Then it prints what came of them as JSON. It is a process of its own so that it can run elsewhere:
 * `strict_load.ts HOST PORT TO SESSIONS MESSAGES`, with as many messages in each connection.
 */

import { converse, Loss } from "../support/strict_client.ts";

export interface LoadOutcome {
  readonly connections: number;
  /** The names of the messages that were answered 250. */
  readonly taken: readonly string[];
  readonly losses: readonly {
    /** ISO 8601, as in the log. */
    readonly at: string;
    readonly error: string;
  }[];
}

/** Milliseconds a session waits after a loss, so that a server that is gone is not asked all the time. */
const PAUSE = 20;

if (import.meta.main) {
  const [hostname = "", port, to = "", sessions, messages] = Deno.args;
  const outcome = {
    connections: 0,
    taken: [] as string[],
    losses: [] as { at: string; error: string }[],
  };
  let over = false;

  const session = async (number: number) => {
    for (let round = 1; !over; round++) {
      const names = Array.from({ length: Number(messages) }, (_, i) => `${number}.${round}.${i}`);
      try {
        const conversation = { hostname, port: Number(port), to, names };
        await converse(conversation, (name) => outcome.taken.push(name));
        outcome.connections++;
      } catch (error) {
        if (!(error instanceof Loss)) throw error;
        outcome.losses.push({ at: new Date().toISOString(), error: error.message });
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  };

  const ended = Deno.stdin.readable.pipeTo(new WritableStream()).then(() => over = true);
  await Promise.all([ended, ...Array.from({ length: Number(sessions) }, (_, i) => session(i + 1))]);
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(outcome)));
}
