/** A daemon under load that is killed at random moments: what all such runs have in common. */

import { Random } from "../../support/random.ts";
import type { Outcome } from "../figures.ts";
import { leftoversIn } from "./leftovers.ts";
import type { Ledger } from "./ledger.ts";
import type { Load } from "./load.ts";
import type { MortalDaemon } from "./mortal_daemon.ts";
import { findNumberedText } from "../numbered_text.ts";

/** How long and how hard. */
export interface Counts {
  /** Which course of events; the moments are the machine's all the same. */
  readonly seed: number;
  readonly kills: number;
  /** Clients at once. */
  readonly sessions: number;
}

/** Milliseconds from the end of a start to the kill. */
const LEAST_LIFE = 500;
const LONGEST_LIFE = 2000;
/** So many are killed while they start, at some moment of these milliseconds. */
const EARLY_DEATHS = 0.2;
const LONGEST_START = 400;

/** Kills it so often, and starts it again at once. Afterwards it works. Rejects where a start fails. */
export async function killAtRandom(
  daemon: MortalDaemon,
  random: Random,
  kills: number,
): Promise<void> {
  for (let left = kills; left > 0; left--) {
    if (random.chance(EARLY_DEATHS)) await pause(random.between(0, LONGEST_START));
    else {
      await daemon.started();
      await pause(random.between(LEAST_LIFE, LONGEST_LIFE));
    }
    await daemon.kill();
    daemon.start();
  }
  await daemon.started();
}

/** Enters what is in the mailboxes, by the recipients whose they are. */
export async function enterMailboxes(
  ledger: Ledger,
  mailboxes: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [recipient, directory] of Object.entries(mailboxes)) {
    for await (const { name: file } of Deno.readDir(`${directory}/new`)) {
      // Readers see no name that begins with a period.
      if (file.startsWith(".")) continue;
      const { name, whole } = findNumberedText(
        await Deno.readFile(`${directory}/new/${file}`),
        "\n",
      );
      ledger.came(name, recipient, whole);
    }
  }
}

export interface Run {
  readonly name: string;
  readonly daemon: MortalDaemon;
  readonly ledger: Ledger;
  readonly load: Load;
  readonly mailboxes: Readonly<Record<string, string>>;
  /** Whether a message may come twice to the same recipient. */
  readonly atLeastOnce: boolean;
  /** Figures besides those that every run has. */
  readonly more?: Readonly<Record<string, number>>;
}

/** Adds up a run whose daemon has stopped in good order. */
export async function outcomeOf(run: Run): Promise<Outcome> {
  const { name, daemon, ledger, load } = run;
  await enterMailboxes(ledger, run.mailboxes);
  const balance = ledger.balance();
  const left = await leftoversIn(Object.values(run.mailboxes), `${daemon.folder}/spool`);
  const starts = daemon.starts.toSorted((a, b) => a - b);
  const complaints = [
    ...ledger.lost().slice(0, 10).map((lost) => `lost: ${lost}`),
    ...balance.half > 0 ? [`${balance.half} texts are not whole`] : [],
    ...balance.duplicates > 0 && !run.atLeastOnce ? [`${balance.duplicates} came twice`] : [],
    ...load.refusals > 0 ? [`${load.refusals} replies refuse something`] : [],
    ...left.slice(0, 10).map((path) => `left over: ${path}`),
    ...daemon.troubles.slice(0, 20).map((line) => `log: ${line}`),
  ];
  return {
    name,
    figures: {
      kills: daemon.kills,
      "starts finished": starts.length,
      "median start, ms": Math.round(starts[Math.floor(starts.length / 2)] ?? 0),
      "slowest start, ms": Math.round(starts.at(-1) ?? 0),
      ...balance,
      ...run.more,
      "unfinished files swept": daemon.swept,
      "files left over": left.length,
      refusals: load.refusals,
      "lines of trouble in the log": daemon.troubles.length,
    },
    good: complaints.length === 0,
    complaints,
  };
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
