/** What must hold after any course with power cuts. */

import assert from "node:assert/strict";
import { readReport } from "../../simulation/report.ts";
import type { SimulatedServer } from "../../simulation/server.ts";
import { SPOOL } from "./life.ts";
import { isHopeless, type Letter } from "./plan.ts";
import type { PowerCutWorld } from "./world.ts";

const MINUTE = 60_000;

/** What came of a course whose checks all hold. */
export interface Balance {
  /** Letters answered 250, and how many recipients they had. */
  readonly acknowledged: number;
  readonly copies: number;
  /** Deliveries and reports after the first one of the same, or to a recipient of the same letter. */
  readonly duplicates: number;
}

/** A letter at a server or in a mailbox. */
interface Copy {
  readonly id: string;
  readonly recipient: string;
  readonly time: number;
  /** Milliseconds from then until the relay has heard of it. */
  readonly back: number;
}

/** Throws where something does not hold. */
export function check(world: PowerCutWorld): Balance {
  const copies = [...world.servers.flatMap((server) => arrivals(world, server)), ...mailed(world)];
  const byRecipient = Map.groupBy(copies, ({ id, recipient }) => `${id} ${recipient}`);
  const reports = reportsOf(world);
  for (const [id, letter] of world.acknowledged) {
    if (world.removals.has(id)) continue;
    for (const recipient of letter.to.map(forwarded)) {
      const arrived = byRecipient.has(`${id} ${recipient}`);
      const told = reports.has(`${id} ${recipient}`) || isTold(world, id, letter, recipient);
      assert.ok(arrived || told, `${id} to ${recipient} is lost`);
    }
  }
  let duplicates = 0;
  for (const [about, some] of byRecipient) {
    duplicates += some.length - 1;
    checkDuplicates(world, about, some);
  }
  for (const [about, count] of reports) {
    duplicates += count - 1;
    assert.ok(count <= 1 + world.stops.length, `${about}: ${count} reports`);
  }
  checkRemovals(world, copies);
  checkAttempts(world);
  checkEnd(world);
  const acknowledged = [...world.acknowledged.values()];
  return {
    acknowledged: acknowledged.length,
    copies: acknowledged.reduce((sum, { to }) => sum + to.length, 0),
    duplicates,
  };
}

/** Where the one user's mail goes who has it forwarded. */
function forwarded(recipient: string): string {
  return recipient === "away@me.example" ? "away@forward.example" : recipient;
}

function arrivals(world: PowerCutWorld, server: SimulatedServer): Copy[] {
  return server.arrivals.flatMap(({ text, time, recipients, reversePath }) => {
    if (readReport(text)) {
      assert.equal(reversePath, null, "a report has the null reverse-path");
      return [];
    }
    const id = checkText(world, text, `at ${server.name}`);
    return recipients.map((recipient) => ({ id, recipient, time, back: server.pace.back }));
  });
}

function mailed(world: PowerCutWorld): Copy[] {
  return ["jones", "smith"].flatMap((user) => {
    return texts(world, user).flatMap((text) => {
      if (readReport(text)) return [];
      const id = checkText(world, text.replaceAll("\n", "\r\n"), `in the mailbox of ${user}`);
      return { id, recipient: `${user}@me.example`, time: NaN, back: 0 };
    });
  });
}

/** What readers see in a mailbox, one character for each octet. */
function texts(world: PowerCutWorld, user: string): string[] {
  return [...world.tree.files(`/mail/${user}/new`)]
    .filter(([path]) => !path.includes("/new/."))
    .map(([, { content }]) => Array.from(content, (byte) => String.fromCharCode(byte)).join(""));
}

/** Throws where it is not a letter as it was handed in, behind its trace. Returns its id. */
function checkText({ plan }: PowerCutWorld, text: string, where: string): string {
  const [, trace = ""] = /^((?:Return-Path: .*\r\n)?Received: .*\r\n(?:\t.*\r\n)*)/.exec(text) ??
    [];
  const [, number] = /\r\nX-Number: (\d+)\r\n/.exec(text) ?? [];
  const letter = plan.letters[Number(number)];
  assert.ok(letter && text.slice(trace.length) === letter.text, `half a message ${where}`);
  return /\sid ([0-9a-z]{15})[;\s]/.exec(trace)![1]!;
}

/** How often senders have heard of the failure of each `id recipient`. */
function reportsOf(world: PowerCutWorld): Map<string, number> {
  const counts = new Map<string, number>();
  const all = [
    ...texts(world, "jones"),
    ...world.servers.flatMap((server) => server.arrivals.map(({ text }) => text)),
  ];
  for (const text of all) {
    const report = readReport(text);
    if (!report) continue;
    assert.match(text, /\n--report-[0-9a-z]{15}-0--\r?\n$/, "half a report");
    const letter = world.acknowledged.get(report.id);
    assert.ok(!letter || letter.from !== "", "the null reverse-path gets no report");
    if (report.action !== "failed") continue;
    for (const recipient of report.recipients.keys()) {
      assert.ok(isHopeless(recipient), `${recipient} only had to be tried again`);
      const about = `${report.id} ${recipient}`;
      counts.set(about, (counts.get(about) ?? 0) + 1);
    }
  }
  return counts;
}

/** Whether the log tells of an end without delivery, and why nobody's mailbox does. */
function isTold(world: PowerCutWorld, id: string, { from }: Letter, recipient: string): boolean {
  if (!isHopeless(recipient)) return false;
  const ends = world.log.of("message lost", "message returned").filter(({ fields }) => {
    return fields.id === id && Array.isArray(fields.to) && fields.to.includes(`<${recipient}>`);
  });
  // A report may be removed by people like any other message.
  return ends.some(({ event, fields }) => {
    return event === "message lost" ? from === "" : world.removals.has(String(fields.report));
  });
}

/** A message comes again only where the world stopped before anybody could record that it had come. */
function checkDuplicates({ stops }: PowerCutWorld, about: string, copies: readonly Copy[]): void {
  for (const { time, back } of copies.toSorted((a, b) => a.time - b.time).slice(0, -1)) {
    // A mailbox's own mail is written once, and what is not whole then is nobody's.
    const excused = stops.some((stop) => stop.time >= time && stop.time <= time + back);
    assert.ok(excused, `${about}: delivered again though the first delivery was recorded`);
  }
}

/** What somebody was told stays true. */
function checkRemovals({ removals, stops }: PowerCutWorld, copies: readonly Copy[]): void {
  for (const [id, { told, time }] of removals) {
    // A request that stays is carried out before anything is sent by the next daemon.
    const from = told === "removed"
      ? time
      : told === "stays"
      ? stops.find((stop) => stop.time >= time)?.time
      : undefined;
    if (from === undefined) continue;
    const late = copies.some((copy) => copy.id === id && copy.time > from);
    assert.ok(!late, `${id}: sent though its removal was told (${told})`);
  }
}

/** An attempt is recorded before it begins, so it is not made again at once after a stop. */
function checkAttempts(world: PowerCutWorld): void {
  const { servers, stops, retried, plan } = world;
  // What was handed in twice is two messages.
  const once = plan.letters.filter((letter) => world.handedIn.get(letter) === 1);
  const checked = new Set(once.flatMap(({ to }) => to));
  if (retried.size > 0 || plan.deeds.some(({ kind }) => kind === "restart")) return;
  for (const { asked } of servers) {
    for (const [recipient, times] of asked) {
      // Others of that name are told by nothing.
      if (!checked.has(recipient)) continue;
      for (const { time } of stops) {
        const last = times.findLast((at) => at <= time);
        const next = times.find((at) => at > time);
        if (last === undefined || next === undefined) continue;
        assert.ok(next - last >= 4 * MINUTE, `${recipient}: tried again at once after a stop`);
      }
    }
  }
}

/** Nothing is left over, and nothing went wrong but what did. */
function checkEnd(world: PowerCutWorld): void {
  const { acknowledged, log } = world;
  assert.deepEqual(world.queued, [], "the queue is not empty");
  assert.deepEqual(world.unswept, [], "a start leaves unfinished files");
  const left = world.paths(SPOOL).filter((path) => path !== `${SPOOL}/policies.json`);
  const aside = left.filter((path) => path.startsWith(`${SPOOL}/damaged/`));
  for (const path of aside) {
    const id = /\/(\w+)\.\w+$/.exec(path)?.[1] ?? "";
    assert.ok(!acknowledged.has(id), `${id}: acknowledged, and put aside as damaged`);
  }
  assert.deepEqual(left.filter((path) => !aside.includes(path)), [], "files are left in the spool");
  const unread = world.paths("/mail").filter((path) => !/\/new\/[^./][^/]*$/.test(path));
  assert.deepEqual(unread, [], "files are left in mailboxes");
  const troubles = log.of("relay failed", "queue trouble", "mailbox trouble", "policies not read");
  assert.deepEqual(troubles, [], "there is trouble in the log");
  assert.equal(world.clock.pending, 0, "timers are left over");
}
