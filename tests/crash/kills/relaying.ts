/** Kills at random while mail goes through to hosts elsewhere. */

import { Random } from "../../support/random.ts";
import { startMailNetwork } from "../../support/mail_network.ts";
import { namesIn } from "../../support/names_in.ts";
import { run } from "../../support/run.ts";
import type { Outcome } from "../figures.ts";
import { Ledger } from "./ledger.ts";
import { Load } from "./load.ts";
import { MortalDaemon } from "./mortal_daemon.ts";
import { type Counts, killAtRandom, outcomeOf, pause } from "./random_kills.ts";
import { startTakingHost } from "./taking_host.ts";

/** Domains, and the addresses of their hosts. */
const ELSEWHERE = { "one.test": "127.0.0.2", "two.test": "127.0.0.3", "three.test": "127.0.0.4" };
const HERE = "jones@me.example";

/** Copies on their way: more comes in than goes out, and what waits has to fit into the time. */
const MOST_AWAITED = 3000;
/** Of the kills, the last ones come when nothing is handed in any more. */
const WHILE_DRAINING = 0.25;
/** Milliseconds until the queue has to be empty, and between two calls to try all of it now. */
const PATIENCE = 120_000;
const PAUSE = 5000;

/** Rejects where the daemon does not start again, or its queue does not become empty. */
export async function relayUnderKills({ seed, kills, sessions }: Counts): Promise<Outcome> {
  const ledger = new Ledger((recipient) => recipient !== HERE);
  await using network = await startMailNetwork(ELSEWHERE);
  await using hosts = new AsyncDisposableStack();
  for (const hostname of Object.values(ELSEWHERE)) {
    hosts.use(startTakingHost({ hostname, port: network.port }, ({ name, whole }, to) => {
      to.forEach((recipient) => ledger.came(name, recipient, whole));
    }));
  }
  await using daemon = await MortalDaemon.make({
    users: "jones:mail/jones\n",
    // What a kill interrupts is tried again after such a delay.
    mail: `${network.mail}RETRY_DELAYS = 1s\n`,
  });
  daemon.start();
  const random = new Random(seed);
  const recipients = [...Object.keys(ELSEWHERE).map((domain) => `mary@${domain}`), HERE];
  const load = new Load({
    port: daemon.port,
    ledger,
    seed,
    sessions,
    recipients,
    mostAwaited: MOST_AWAITED,
  });
  const draining = Math.round(kills * WHILE_DRAINING);
  try {
    await killAtRandom(daemon, random, kills - draining);
  } finally {
    await load.end();
  }
  const waiting = ledger.awaited;
  await killAtRandom(daemon, random, draining);
  const drained = performance.now();
  await emptyQueue(daemon);
  const seconds = (performance.now() - drained) / 1000;
  await daemon.stop();
  return await outcomeOf({
    name: `kills at random while relaying (seed ${seed})`,
    daemon,
    ledger,
    load,
    mailboxes: { [HERE]: `${daemon.folder}/mail/jones` },
    atLeastOnce: true,
    more: {
      "on their way when the load ended": waiting,
      "most waiting at a start": daemon.mostWaiting,
      "seconds to drain after the last kill": seconds,
    },
  });
}

/** Has everything tried until nothing waits. Rejects where that takes too long. */
async function emptyQueue({ folder }: MortalDaemon): Promise<void> {
  for (let waited = 0; waited < PATIENCE; waited += PAUSE) {
    const { code, err } = await run(["queue", "retry", "mail.conf", "--all"], { cwd: folder });
    if (code !== 0) throw new Error(`queue retry ended with ${code}: ${err}`);
    for (let looked = 0; looked < PAUSE; looked += 50) {
      if ((await namesIn(`${folder}/spool/queue`)).length === 0) return;
      await pause(50);
    }
  }
  throw new Error("the queue does not become empty");
}
