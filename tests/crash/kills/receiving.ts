/** Kills at random while mail comes in for mailboxes here. */

import { Random } from "../../support/random.ts";
import type { Outcome } from "../figures.ts";
import { Ledger } from "./ledger.ts";
import { Load } from "./load.ts";
import { MortalDaemon } from "./mortal_daemon.ts";
import { type Counts, killAtRandom, outcomeOf } from "./random_kills.ts";

const USERS = ["jones", "smith", "brown", "green"];

/** Rejects where the daemon does not start again, or leaves a client without an answer. */
export async function receiveUnderKills({ seed, kills, sessions }: Counts): Promise<Outcome> {
  await using daemon = await MortalDaemon.make({
    users: USERS.map((user) => `${user}:mail/${user}\n`).join(""),
  });
  const ledger = new Ledger();
  daemon.start();
  const recipients = USERS.map((user) => `${user}@me.example`);
  const load = new Load({ port: daemon.port, ledger, seed, sessions, recipients });
  try {
    await killAtRandom(daemon, new Random(seed), kills);
  } finally {
    await load.end();
  }
  await daemon.stop();
  const mailboxes = Object.fromEntries(
    USERS.map((user) => [`${user}@me.example`, `${daemon.folder}/mail/${user}`]),
  );
  return await outcomeOf({
    name: `kills at random while receiving (seed ${seed})`,
    daemon,
    ledger,
    load,
    mailboxes,
    atLeastOnce: false,
  });
}
