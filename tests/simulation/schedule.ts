/** One random course of events, which its seed decides. */

import { Random } from "../support/random.ts";
import type { SimulatedServer } from "./server.ts";
import { diskWeather, nameWeather, serverWeather } from "./weather.ts";
import { DAY, HOUR, type Letter, MINUTE, SECOND, World } from "./world.ts";

/** A letter that this host took. */
export interface Accepted extends Letter {
  readonly text: string;
  /** Milliseconds since the world began. */
  readonly time: number;
}

/** What happened. */
export interface Course {
  readonly world: World;
  /** By id. */
  readonly accepted: ReadonlyMap<string, Accepted>;
  /**
   * Whom nothing better could come of: `to RECIPIENT`, `from SENDER at DOMAIN`, `at DOMAIN`, and
   * `8-bit at DOMAIN`.
   */
  readonly reasons: ReadonlySet<string>;
  readonly restarts: number;
  /** Whether the disk failed at times. */
  readonly diskFailed: boolean;
  /** Whether the queue was empty at the end of day seven. */
  readonly empty: boolean;
}

const SENDERS = "sender.example";

export async function runSchedule(seed: number): Promise<Course> {
  const random = new Random(seed);
  const world = await World.make(seed);
  const ambiguous = random.chance(0.5);
  const diskFailed = random.chance(0.4);
  const restarts = random.chance(0.4) ? random.between(1, 6) : 0;
  const reasons = new Set<string>();

  const domains = [
    SENDERS,
    ...Array.from({ length: random.between(2, 7) }, (_, i) => `d${i}.test`),
  ];
  for (const domain of domains) {
    const servers = Array.from({ length: random.between(1, 3) }, () => serverOptions(random));
    for (const server of world.domain(domain, ...servers)) {
      server.faults = serverWeather(random, world.began, ambiguous);
      server.refused = ({ step, sender, recipients }) => {
        if (step === "EHLO") reasons.add(`8-bit at ${domain}`);
        else if (recipients.length > 0) recipients.forEach((one) => reasons.add(`to ${one}`));
        else reasons.add(sender === undefined ? `at ${domain}` : `from ${sender} at ${domain}`);
      };
    }
  }
  nameTroubles(world, domains, random, reasons);

  const accepted = new Map<string, Accepted>();
  const tasks: { time: number; act: () => Promise<void> }[] = [
    ...letters(random, domains.slice(1)).map((letter) => ({
      time: Math.floor(random.next() * random.pick([MINUTE, HOUR, DAY])),
      act: async () => {
        const id = await world.submit(letter);
        const time = world.clock.now() - world.began;
        if (id !== undefined) accepted.set(id, { ...letter, time });
      },
    })),
    ...Array.from({ length: restarts }, () => ({
      time: Math.floor(random.next() * random.pick([HOUR, 2 * DAY, 6 * DAY])),
      act: () => world.restart(random.pick([0, 10 * SECOND])),
    })),
  ];
  if (diskFailed) {
    const strike = diskWeather(random);
    world.disk.before = (operation) => strike(operation, world.clock.now() - world.began);
  }
  for (const { time, act } of tasks.toSorted((a, b) => a.time - b.time)) {
    await world.run(Math.max(0, world.began + time - world.clock.now()));
    await act();
  }
  await world.runUntilEmpty(world.began + 7 * DAY - world.clock.now());
  if (diskFailed) await world.restart();
  const empty = await world.runUntilEmpty(DAY);
  await world.stop();
  if (diskFailed) await sweep(world);
  return { world, accepted, reasons, restarts, diskFailed, empty };
}

/** What the disk did not let be removed goes at the next start. */
async function sweep(world: World): Promise<void> {
  await world.start();
  await world.stop();
}

function serverOptions(random: Random): ConstructorParameters<typeof SimulatedServer>[2] {
  const slow = random.chance(0.3);
  return {
    pace: {
      there: slow ? random.between(1, 500) : 0,
      back: slow ? random.between(1, 5000) : 0,
      octet: random.chance(0.05) ? random.between(1, 100) : 0,
    },
    without: ["PIPELINING", "8BITMIME", "SIZE"].filter(() => random.chance(0.2)),
    maxMessageSize: random.chance(0.2) ? 1000 : 50_000_000,
    maxRecipients: random.chance(0.2) ? 2 : 100,
  };
}

function nameTroubles(
  { names, clock, began }: World,
  domains: readonly string[],
  random: Random,
  reasons: Set<string>,
): void {
  const weather = new Map(domains.map((domain) => [domain, nameWeather(random)]));
  const domainOf = (name: string) => name.replace(/^mx\d+\./, "");
  names.fault = (name) => weather.get(domainOf(name))?.(clock.now() - began);
  names.denied = (name) => reasons.add(`at ${domainOf(name)}`);
}

/** Every message has senders and recipients of its own, so that a server's commands tell which it is. */
function letters(random: Random, domains: readonly string[]): (Letter & { text: string })[] {
  return Array.from({ length: random.between(5, 30) }, (_, m) => {
    const from = random.pick(["", `jones+m${m}@me.example`, `m${m}@${SENDERS}`]);
    const to = Array.from({ length: random.between(1, 6) }, (_, r) => {
      return random.chance(0.15)
        ? `smith+m${m}r${r}@me.example`
        : `m${m}r${r}@${random.pick(domains)}`;
    });
    return { from, to, text: text(random, m) };
  });
}

function text(random: Random, m: number): string {
  const line = random.pick([
    "Hello",
    ".",
    "..",
    ".dot",
    random.chance(0.3) ? "caf\xe9" : "plain",
    "",
  ]);
  const lines = Array.from({ length: random.pick([0, 1, 5, 300]) }, () => line);
  return ["Subject: letter", `X-Number: ${m}`, "", ...lines, ""].join("\r\n");
}
