/** A mail server with its folder, and a round of a load on it. */

import { freePort } from "../support/free_port.ts";
import { succeed } from "../support/programs.ts";
import { until } from "../support/until.ts";
import { type Arrival, arrivedIn, awaitArrival, idle } from "./arrival.ts";
import {
  familyOf,
  hasEnded,
  MemoryWatch,
  peakMemory,
  processorTime,
  processorTimeOfPrograms,
} from "./family.ts";
import type { Load } from "./loads.ts";
import { startNextHop } from "./next_hop.ts";
import type { Kind, Peer } from "./peers/peer.ts";
import { recipientsOf, send, type Sending } from "./source.ts";

/** What one round came to. */
export interface Round {
  readonly messages: number;
  /** Seconds to the last reply; none where what is measured is the drain of a queue. */
  readonly accepted?: number;
  /** Seconds until the last message was where mail ends; none where nothing is kept. */
  readonly arrived?: number;
  /** Copies of messages that never came there. */
  readonly missing: number;
  /** Seconds of processor time. */
  readonly processor: number;
  /** Octets of memory at most, as seen several times a second. */
  readonly memory: number;
}

/** What all rounds of one server came to. */
export interface Result {
  readonly name: string;
  /** Whether it took more processor time than the rounds say. */
  readonly unwaited?: true;
  readonly rounds: readonly Round[];
  /** Octets of memory that its first process has held at most, all its life. */
  readonly peak: number;
}

const DOMAIN = "me.example";
const ELSEWHERE = "other.example";

export class Contestant implements AsyncDisposable {
  readonly #kind: Kind;
  readonly #peer: Peer;
  readonly #load: Load;
  readonly #folder: string;
  readonly #nextHop: number;
  #rounds = 0;

  private constructor(kind: Kind, peer: Peer, load: Load, folder: string, nextHop: number) {
    this.#kind = kind;
    this.#peer = peer;
    this.#load = load;
    this.#folder = folder;
    this.#nextHop = nextHop;
  }

  /** Starts it in a folder that exists, for so many rounds at most. */
  static async start(
    kind: Kind,
    load: Load,
    folder: string,
    rounds: number,
  ): Promise<Contestant> {
    await Deno.mkdir(`${folder}/peer`);
    const nextHop = freePort();
    const { sessions, recipients } = load;
    const peer = await kind.start({
      folder: `${folder}/peer`,
      domain: DOMAIN,
      mailboxes: Array.from({ length: rounds }, (_, round) => {
        return recipientsOf({ to: boxOf(round), recipients });
      }).flat(),
      sessions,
      ...load.kind === "mailbox" ? {} : { nextHop },
    });
    return new Contestant(kind, peer, load, folder, nextHop);
  }

  /** What these rounds of it and its life so far came to. */
  result(rounds: readonly Round[]): Result {
    const { name, unwaited } = this.#kind;
    const peak = peakMemory(this.#peer.pid);
    return { name, rounds, peak, ...unwaited ? { unwaited } : {} };
  }

  /**
   * One round, of so many messages, in mailboxes of its own, and until there is nothing more to do
   * after it. Rejects where mail is not taken, and where `stopped` does.
   */
  async round(messages: number, stopped: Promise<never>): Promise<Round> {
    const play = { mailbox: this.#keep, relay: this.#relay, drain: this.#drain }[this.#load.kind];
    const round = await Promise.race([play.call(this, messages), stopped]).catch((cause) => {
      throw new Error(`${this.#kind.name}, round ${this.#rounds}`, { cause });
    });
    // What it left to the disk is no load of the next one's.
    await succeed("sync", []);
    this.#rounds++;
    return round;
  }

  async #keep(messages: number): Promise<Round> {
    const to = boxOf(this.#rounds);
    const { recipients } = this.#load;
    const maildirs = recipientsOf({ to, recipients }).map((one) => this.#peer.mailbox(one));
    const kept = maildirs.filter((maildir) => maildir !== undefined);
    return await this.#measure(messages, async () => {
      const begun = Date.now();
      const accepted = await send(this.#sending(messages, `${to}@${DOMAIN}`));
      if (kept.length === 0) return { accepted, missing: 0 };
      const expected = messages * recipients;
      const arrival = await awaitArrival(expected, () => arrivedIn(kept));
      return { accepted, ...came(arrival, expected, begun) };
    });
  }

  async #relay(messages: number): Promise<Round> {
    await using nextHop = await startNextHop(this.#nextHop, `${this.#folder}/next-hop`);
    return await this.#measure(messages, async () => {
      const begun = Date.now();
      const arriving = awaitArrival(messages, () => ({ count: nextHop.count(), last: Date.now() }));
      const accepted = await send(this.#sending(messages, `box@${ELSEWHERE}`));
      return { accepted, ...came(await arriving, messages, begun) };
    });
  }

  async #drain(messages: number): Promise<Round> {
    await send(this.#sending(messages, `box@${ELSEWHERE}`));
    await idle(this.#peer.pid);
    await using nextHop = await startNextHop(this.#nextHop, `${this.#folder}/next-hop`);
    return await this.#measure(messages, async () => {
      const begun = Date.now();
      await this.#peer.retry();
      const look = () => ({ count: nextHop.count(), last: Date.now() });
      return came(await awaitArrival(messages, look), messages, begun);
    });
  }

  #sending(messages: number, to: string): Sending {
    const { sessions, octets, recipients, reused } = this.#load;
    return { port: this.#peer.port, messages, sessions, octets, recipients, reused, to };
  }

  /** Adds what the processes of the peer took, and programs that it was told something by. */
  async #measure(
    messages: number,
    play: () => Promise<Pick<Round, "accepted" | "arrived" | "missing">>,
  ): Promise<Round> {
    const { pid } = this.#peer;
    const [before, programsBefore] = [processorTime(pid), processorTimeOfPrograms()];
    const watch = new MemoryWatch(pid);
    let outcome;
    let memory = 0;
    try {
      outcome = await play();
    } finally {
      memory = watch.end();
    }
    await idle(pid);
    const told = this.#load.kind === "drain" ? processorTimeOfPrograms() - programsBefore : 0;
    const processor = processorTime(pid) - before + told;
    return { messages, ...outcome, processor, memory };
  }

  /** Returns when none of its processes is left, and nobody writes into its folder any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    const family = familyOf(this.#peer.pid);
    await this.#peer[Symbol.asyncDispose]();
    await until("its processes to end", () => family.every(({ pid }) => hasEnded(pid)));
  }
}

/** A local-part for each round: no listing of a mailbox is longer than the round. */
function boxOf(round: number): string {
  return `box${round}`;
}

function came({ count, last }: Arrival, expected: number, begun: number) {
  return { arrived: (last - begun) / 1000, missing: Math.max(0, expected - count) };
}
