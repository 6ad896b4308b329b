/** What must hold whatever happened. */

import assert from "node:assert/strict";
import { LIMITS } from "../../src/relay/limits.ts";
import type { Entry } from "./journal.ts";
import { type ReadReport, readReport } from "./report.ts";
import type { Accepted, Course } from "./schedule.ts";
import { DAY, HOUR, MINUTE } from "./world.ts";

const DELAYS = [5, 15, 30, 60, 120, 240].map((minutes) => minutes * MINUTE);
const LIFETIME = 5 * DAY;
const NOTICE = 4 * HOUR;
/** Half of the first delay. */
const LEFT_ALONE = DELAYS[0]! / 2;

/** Throws where something does not hold. */
export function check(course: Course): void {
  const history = new History(course);
  for (const [id, letter] of course.accepted) {
    for (const recipient of letter.to) checkRecipient(history, id, letter, recipient);
    checkNotices(history, id, letter);
  }
  checkTexts(history);
  checkEnd(course);
  checkPressure(course);
}

/** Everything that arrived somewhere, by message. */
class History {
  readonly course: Course;
  /** Deliveries by `id recipient`: whether the relay could know of each. */
  readonly deliveries = new Map<string, boolean[]>();
  /** By the id of the message that they are about. */
  readonly reports: ReadonlyMap<string, readonly ReadReport[]>;
  /** Reports that were stored by a server which could not say so. */
  readonly unconfirmedReports = new Set<string>();
  /** Nothing but servers was ever in the way, so that everything is done once. */
  readonly exact: boolean;

  constructor(course: Course) {
    this.course = course;
    this.exact = course.restarts === 0 && !course.diskFailed;
    const { world } = course;
    const reports = [...world.reports("jones"), ...world.reports("smith")];
    for (const arrival of [...world.servers.values()].flatMap(({ arrivals }) => arrivals)) {
      const report = readReport(arrival.text);
      if (report) {
        assert.equal(arrival.reversePath, null, "a report has the null reverse-path");
        reports.push(report);
        if (!arrival.confirmed) this.unconfirmedReports.add(report.id);
        continue;
      }
      const id = idOf(arrival.text);
      for (const recipient of arrival.recipients) this.#add(id, recipient, arrival.confirmed);
    }
    for (const text of world.mailbox("smith")) {
      // A mailbox does not know for whom of the letter's recipients it is; all share one copy.
      const id = idOf(text);
      const letter = course.accepted.get(id);
      for (const one of letter?.to ?? []) if (one.startsWith("smith")) this.#add(id, one, true);
    }
    this.reports = Map.groupBy(reports, ({ id }) => id);
  }

  #add(id: string, recipient: string, confirmed: boolean): void {
    const key = `${id} ${recipient}`;
    this.deliveries.set(key, [...this.deliveries.get(key) ?? [], confirmed]);
  }

  /** What the log says of a recipient's end without delivery. */
  ends(id: string, recipient: string): Entry[] {
    return this.course.world.log.of("message returned", "message lost").filter(({ fields }) => {
      const { to } = fields;
      return fields.id === id && Array.isArray(to) && to.includes(`<${recipient}>`);
    });
  }
}

function checkRecipient(history: History, id: string, letter: Accepted, recipient: string): void {
  const { course, exact } = history;
  const about = `${id} to ${recipient}`;
  const deliveries = history.deliveries.get(`${id} ${recipient}`) ?? [];
  const unconfirmed = deliveries.filter((confirmed) => !confirmed).length;
  const reports = (history.reports.get(id) ?? []).filter(({ action, recipients }) => {
    return action === "failed" && recipients.has(recipient);
  });
  const ends = history.ends(id, recipient);
  const lost = ends.some(({ event, fields }) =>
    event === "message lost" || history.ends(String(fields.report), letter.from).length > 0
  );
  assert.ok(deliveries.length + reports.length > 0 || lost, `${about}: nobody knows`);
  if (letter.from === "") assert.equal(history.reports.get(id), undefined, `${about}: null sender`);
  if (exact) {
    assert.ok(deliveries.length <= 1 + unconfirmed, `${about}: ${deliveries.length} deliveries`);
    const told = history.unconfirmedReports.has(id) ? 1 : reports.length;
    assert.ok(told <= 1 && ends.length <= 1, `${about}: ${reports.length} reports`);
    const delivered = deliveries.length > unconfirmed;
    assert.ok(!delivered || ends.length === 0, `${about}: delivered, and returned`);
  }
  if (mayFail(course, letter, recipient)) return;
  for (const { time } of ends) {
    assert.ok(time >= letter.time + LIFETIME, `${about}: given up too soon`);
  }
  for (const { recipients } of reports) {
    assert.equal(recipients.get(recipient), "4.4.7", `${about}: it was only late`);
  }
}

/** Whether there was a reason to return it at once. */
function mayFail({ reasons, world }: Course, { from, text }: Accepted, recipient: string): boolean {
  const domain = recipient.split("@")[1]!;
  const servers = [...world.servers.values()].filter(({ destination }) => destination === domain);
  const without8Bit = reasons.has(`8-bit at ${domain}`) ||
    servers.some(({ options }) => options.without?.includes("8BITMIME"));
  return reasons.has(`to ${recipient}`) || reasons.has(`at ${domain}`) ||
    reasons.has(`from ${from} at ${domain}`) ||
    without8Bit && is8Bit(text) ||
    servers.some(({ options }) => text.length + 500 > (options.maxMessageSize ?? Infinity));
}

/** The sender hears of a delay once, and not before it is one. */
function checkNotices(
  { reports, exact, course, unconfirmedReports }: History,
  id: string,
  letter: Accepted,
): void {
  const notices = (reports.get(id) ?? []).filter(({ action }) => action === "delayed");
  if (exact && !unconfirmedReports.has(id)) {
    assert.ok(notices.length <= 1, `${id}: ${notices.length} notices`);
  }
  for (const { time, fields } of course.world.log.of("delay reported")) {
    if (fields.id === id) assert.ok(time >= letter.time + NOTICE, `${id}: noticed too soon`);
  }
}

/** A text arrives as it came, behind one more Received field. */
function checkTexts({ course: { world, accepted } }: History): void {
  for (const server of world.servers.values()) {
    for (const { text, host } of server.arrivals) {
      if (readReport(text)) continue;
      const letter = accepted.get(idOf(text));
      // What the disk refused and kept all the same is nobody's to compare with.
      if (letter) assert.equal(withoutReceived(text), letter.text, "the text is another one");
      const sevenBit = server.options.without?.includes("8BITMIME");
      assert.ok(!sevenBit || !is8Bit(text), `8-bit text at ${host}`);
    }
  }
  for (const text of world.mailbox("smith")) {
    const letter = accepted.get(idOf(text));
    const left = withoutReceived(text.replace(/^Return-Path: .*\n/, ""));
    if (letter) assert.equal(left, letter.text.replaceAll("\r\n", "\n"), "the text is another one");
  }
}

/** Nothing is left over. */
function checkEnd({ world, empty, accepted, diskFailed }: Course): void {
  assert.deepEqual(empty ? [] : world.queued, [], "the queue is not empty");
  // An envelope that a full disk did not let go with its text: the letter was refused.
  const damaged = (id: string) => !accepted.has(id) && diskFailed;
  const left = world.paths("/spool/").filter((path) => {
    return !damaged(/\/damaged\/(\w+)\.json$/.exec(path)?.[1] ?? "");
  });
  assert.deepEqual(left, [], "files are left over");
  assert.deepEqual(world.paths("/mail/").filter((path) => path.includes("/tmp/")), []);
  assert.equal(world.network.open, 0, "connections are left over");
  assert.equal(world.clock.pending, 0, "timers are left over");
  assert.deepEqual(world.log.of("relay failed"), []);
  const spoiled = world.log.of("message damaged").filter(({ fields: { id } }) =>
    !damaged(String(id))
  );
  assert.deepEqual(spoiled, []);
}

/** Nobody is tried too often, nor by too many at once. */
function checkPressure({ world, accepted, restarts }: Course): void {
  const { network, log } = world;
  assert.ok(network.mostToOne <= LIMITS.mostCarriers, `${network.mostToOne} connections to one`);
  assert.ok(network.mostDestinations <= LIMITS.destinations);
  for (const { time, fields: { id, to, attempts } } of log.of("message deferred")) {
    const letter = accepted.get(String(id));
    if (!letter) continue;
    const earliest = letter.time + Math.min(sum(Number(attempts) - 1), LIFETIME);
    assert.ok(time >= earliest, `${id} to ${to}: attempt ${attempts} too soon`);
  }
  if (restarts > 0) return;
  for (const dials of Map.groupBy(network.dials, ({ address }) => address).values()) {
    dials.forEach(({ time, failed }, i) => {
      // A connection that came about meanwhile says that the host is up again.
      const next = dials.slice(i + 1).find((other) => other.time > failed);
      const between = dials.some((other) => Number.isNaN(other.failed) && other.time >= time);
      if (Number.isNaN(failed) || !next || between) return;
      assert.ok(next.time >= failed + LEFT_ALONE, `${next.address} is tried again too soon`);
    });
  }
}

/** The least time that so many delays take. */
function sum(delays: number): number {
  let total = 0;
  for (let i = 0; i < delays; i++) total += DELAYS[Math.min(i, DELAYS.length - 1)]!;
  return total;
}

function is8Bit(text: string): boolean {
  return /[\x80-\xff]/.test(text);
}

/** Of the first Received field. */
function idOf(text: string): string {
  return /\sid ([0-9a-z]{15})[;\s]/.exec(text)?.[1] ?? "";
}

function withoutReceived(text: string): string {
  return text.replace(/^Received: .*\r?\n(?:[ \t].*\r?\n)*/, "");
}
