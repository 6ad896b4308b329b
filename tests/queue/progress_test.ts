/** How a message gets on: when it is tried, what replies mean, when it is given up. */

import assert from "node:assert/strict";
import type { QueuedMessage, QueuedRecipient } from "../../src/queue/envelope.ts";
import * as progress from "../../src/queue/progress.ts";
import { parseMailbox, printMailbox } from "../../src/smtp/address.ts";
import { ARRIVED, DAY, HOUR, message, MINUTE, POLICY, recipient, settlement } from "./messages.ts";

const JONES = parseMailbox("jones@x.y");
const END = ARRIVED + POLICY.lifetime;

const addresses = (recipients: readonly QueuedRecipient[]) =>
  recipients.map(({ forwardPath }) => printMailbox(forwardPath));

/** The message once Jones has been tried at this time and heard this. */
function tried(before: QueuedMessage, now: number, code: number): QueuedMessage {
  const during = progress.attempted(before, [JONES], now, POLICY);
  return progress.settled(during, [settlement("jones@x.y", code)], now, POLICY);
}

/** When Jones, who always hears 450, is tried, until he fails. */
function attemptsOf(policy: progress.RetryPolicy, lasting = 0): number[] {
  const times: number[] = [];
  let now = ARRIVED;
  let state = message();
  for (;;) {
    times.push(now - ARRIVED);
    state = progress.attempted(state, [JONES], now, policy);
    now += lasting;
    state = progress.settled(state, [settlement("jones@x.y", 450)], now, policy);
    state = progress.expired(state, now, policy);
    if (state.recipients[0]!.state === "failed") return times;
    now = Math.max(now, state.recipients[0]!.nextAttempt);
  }
}

Deno.test("attempts follow RETRY_DELAYS, whose last repeats, to the end of the lifetime (CL-22)", () => {
  const times = attemptsOf(POLICY);
  const firsts = [0, 5, 20, 50, 110, 230, 470, 710];
  assert.deepEqual(times.slice(0, 8), firsts.map((minutes) => minutes * MINUTE));
  assert.equal(times.at(-1), POLICY.lifetime);
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  assert.ok(steps.slice(5, -1).every((step) => step === 4 * HOUR));
  assert.ok(steps.at(-1)! <= 4 * HOUR);
});

Deno.test("a single delay repeats, and the last attempt falls on the lifetime's end (CL-22)", () => {
  const policy = { ...POLICY, delays: [40], lifetime: 100 };
  assert.deepEqual(attemptsOf(policy), [0, 40, 80, 100]);
  assert.deepEqual(attemptsOf({ ...policy, lifetime: 80 }), [0, 40, 80]);
  assert.deepEqual(attemptsOf({ ...policy, delays: [1000] }), [0, 100]);
});

Deno.test("an attempt that lasts beyond the lifetime's end is the last one (CL-22)", () => {
  const policy = { ...POLICY, delays: [40], lifetime: 100 };
  assert.deepEqual(attemptsOf(policy, 20), [0, 60, 100]);
  assert.deepEqual(attemptsOf(policy, 30), [0, 70]);
});

Deno.test("a host that takes longer than the delay is not tried again at once (CL-22)", () => {
  const policy = { ...POLICY, delays: [40], lifetime: 300 };
  assert.deepEqual(attemptsOf(policy, 50), [0, 90, 180, 270]);
});

Deno.test("the next attempt is set when one begins, for a crash in the middle", () => {
  const { recipients: [jones] } = progress.attempted(message(), [JONES], ARRIVED + 7, POLICY);
  assert.deepEqual(
    jones,
    recipient("jones@x.y", { attempts: 1, nextAttempt: ARRIVED + 7 + 5 * MINUTE }),
  );
});

Deno.test("an attempt changes those who wait and are meant, nobody else", () => {
  const recipients = [
    recipient("jones@x.y"),
    recipient("smith@x.y"),
    recipient("Jones@x.y"),
    recipient("gone@x.y", { state: "delivered" }),
  ];
  const before = message({ recipients });
  const paths = [JONES, parseMailbox("gone@x.y"), parseMailbox("stranger@x.y")];
  const after = progress.attempted(before, paths, ARRIVED, POLICY);
  assert.deepEqual(after.recipients.map(({ attempts }) => attempts), [1, 0, 0, 0]);
  assert.deepEqual(after.recipients.slice(1), recipients.slice(1));
  assert.equal(before.recipients[0]!.attempts, 0);
});

Deno.test("those are due who wait and whose time has come", () => {
  const recipients = [
    recipient("a@x.y", { nextAttempt: ARRIVED + 1 }),
    recipient("b@x.y"),
    recipient("c@x.y", { state: "delivered" }),
    recipient("d@x.y", { state: "failed" }),
    recipient("e@x.y", { state: "returned" }),
  ];
  const waiting = message({ recipients });
  assert.deepEqual(addresses(progress.dueRecipients(waiting, ARRIVED - 1)), []);
  assert.deepEqual(addresses(progress.dueRecipients(waiting, ARRIVED)), ["b@x.y"]);
  assert.deepEqual(addresses(progress.dueRecipients(waiting, ARRIVED + 1)), ["a@x.y", "b@x.y"]);
});

Deno.test("2yz, 4yz and 5yz count for the recipient they are for (CL-17, BUG-24)", () => {
  const recipients = ["a@x.y", "b@x.y", "c@x.y", "d@x.y"].map((address) => recipient(address));
  const settlements = [
    settlement("c@x.y", 550),
    settlement("a@x.y", 250, { host: "mx.x.y" }),
    settlement("b@x.y", 450, { heard: false }),
  ];
  const after = progress.settled(message({ recipients }), settlements, ARRIVED + 9, POLICY);
  assert.deepEqual(
    after.recipients.map(({ state }) => state),
    ["delivered", "waiting", "failed", "waiting"],
  );
  const [a, b, c, d] = after.recipients.map(({ last }) => last);
  const time = ARRIVED + 9;
  const { reply } = settlement("a@x.y", 250);
  assert.deepEqual(a, { reply, heard: true, host: "mx.x.y", time });
  assert.deepEqual(b, { reply: settlement("b@x.y", 450).reply, heard: false, time });
  assert.equal(c?.reply.code, 550);
  assert.equal(d, undefined);
});

const MEANINGS: readonly (readonly [code: number, state: QueuedRecipient["state"]])[] = [
  [200, "delivered"],
  [299, "delivered"],
  [400, "waiting"],
  [499, "waiting"],
  [500, "failed"],
  [599, "failed"],
];

for (const [code, state] of MEANINGS) {
  Deno.test(`after ${code} a recipient is ${state} (CL-19, BUG-25)`, () => {
    assert.equal(tried(message(), ARRIVED, code).recipients[0]!.state, state);
  });
}

Deno.test("who is delivered, failed or returned stays so, whatever is heard later", () => {
  for (const state of ["delivered", "failed", "returned"] as const) {
    const before = message({ recipients: [recipient("jones@x.y", { state })] });
    for (const code of [250, 450, 550]) {
      assert.deepEqual(tried(before, ARRIVED, code), before);
    }
  }
});

Deno.test("an attempt cut short does not count, and the next may come at once", () => {
  const now = ARRIVED + 10 * MINUTE;
  const during = progress.attempted(message(), [JONES], now, POLICY);
  const cutShort = settlement("jones@x.y", 451, { heard: false, cutShort: true });
  const after = progress.settled(during, [cutShort], now + 5, POLICY);
  const [jones] = after.recipients;
  assert.equal(jones?.attempts, 0);
  assert.equal(jones?.nextAttempt, now + 5);
  assert.equal(jones?.last?.reply.code, 451);
  assert.deepEqual(progress.expired(after, END + DAY, POLICY), after);
});

Deno.test("an answer that came is not cut short", () => {
  for (const [code, state] of [[250, "delivered"], [550, "failed"]] as const) {
    const during = progress.attempted(message(), [JONES], ARRIVED, POLICY);
    const settlements = [settlement("jones@x.y", code, { cutShort: true })];
    const [jones] = progress.settled(during, settlements, ARRIVED, POLICY).recipients;
    assert.equal(jones?.state, state);
    assert.equal(jones?.attempts, 1);
  }
});

Deno.test("nothing expires before the lifetime's end (CL-22)", () => {
  const waiting = tried(message(), END - 1, 450);
  assert.deepEqual(progress.expired(waiting, END - 1, POLICY), waiting);
});

Deno.test("at the lifetime's end fails who was tried then, nobody else (CL-22)", () => {
  const last = tried(message(), END, 450);
  assert.equal(progress.expired(last, END, POLICY).recipients[0]!.state, "failed");
  // Not tried yet, and tried before but to be tried once more.
  const recipients = [
    recipient("new@x.y"),
    recipient("never@x.y", { nextAttempt: END + HOUR }),
    recipient("due@x.y", { attempts: 3, nextAttempt: END }),
    recipient("gone@x.y", { state: "delivered", attempts: 1, nextAttempt: END + HOUR }),
  ];
  const others = message({ recipients });
  assert.deepEqual(progress.expired(others, END + 1, POLICY), others);
});

Deno.test("a message is due with the first recipient who waits", () => {
  const of = (...recipients: QueuedRecipient[]) =>
    progress.dueOf(message({ recipients, delayReported: true }), POLICY);
  const late = recipient("a@x.y", { nextAttempt: ARRIVED + 9 });
  const delivered = recipient("c@x.y", { state: "delivered", nextAttempt: 0 });
  assert.equal(of(late, recipient("b@x.y", { nextAttempt: ARRIVED + 8 })), ARRIVED + 8);
  assert.equal(of(delivered, late), ARRIVED + 9);
  assert.equal(of(delivered), Infinity);
  assert.equal(of(late, recipient("b@x.y", { state: "failed" })), 0);
});

Deno.test("a message is due for its notice, which is before the next attempt", () => {
  const waiting = tried(message(), ARRIVED + 230 * MINUTE, 450);
  const [jones] = waiting.recipients;
  const late = { ...waiting, recipients: [{ ...jones!, nextAttempt: ARRIVED + DAY }] };
  assert.equal(progress.dueOf(late, POLICY), ARRIVED + 4 * HOUR);
  assert.equal(progress.dueOf({ ...late, delayReported: true }, POLICY), ARRIVED + DAY);
  assert.equal(progress.dueOf({ ...late, reversePath: null }, POLICY), ARRIVED + DAY);
});

Deno.test("a notice is due after four hours, and not twice (CL-22)", () => {
  const waiting = tried(message(), ARRIVED, 450);
  assert.equal(progress.isNoticeDue(waiting, ARRIVED + 4 * HOUR - 1, POLICY), false);
  assert.equal(progress.isNoticeDue(waiting, ARRIVED + 4 * HOUR, POLICY), true);
  const reported = { ...waiting, delayReported: true };
  assert.equal(progress.isNoticeDue(reported, ARRIVED + DAY, POLICY), false);
});

Deno.test("who waits until the lifetime's end is told of that alone (CL-22)", () => {
  const waiting = tried(message(), ARRIVED, 450);
  assert.equal(progress.isNoticeDue(waiting, END - 1, POLICY), true);
  assert.equal(progress.isNoticeDue(waiting, END, POLICY), false);
});

Deno.test("no notice for a null reverse-path, before an attempt, or where nobody waits (DSN-1, BUG-18)", () => {
  const late = ARRIVED + DAY;
  const waiting = tried(message(), ARRIVED, 450);
  assert.equal(progress.isNoticeDue({ ...waiting, reversePath: null }, late, POLICY), false);
  assert.equal(progress.isNoticeDue(message(), late, POLICY), false);
  for (const code of [250, 550]) {
    assert.equal(progress.isNoticeDue(tried(message(), ARRIVED, code), late, POLICY), false);
  }
});

Deno.test("a message is done when each recipient is delivered or returned", () => {
  const of = (...states: QueuedRecipient["state"][]) =>
    progress.isDone(message({ recipients: states.map((state) => recipient("a@x.y", { state })) }));
  assert.equal(of("delivered", "returned"), true);
  assert.equal(of("delivered", "waiting"), false);
  assert.equal(of("returned", "failed"), false);
});

Deno.test("the sender hears of those who failed, once", () => {
  const recipients = (["waiting", "delivered", "failed", "returned"] as const)
    .map((state) => recipient(`${state}@x.y`, { state }));
  const after = progress.returned(message({ recipients }), recipients);
  assert.deepEqual(
    after.recipients.map(({ state }) => state),
    ["waiting", "delivered", "returned", "returned"],
  );
  const untold = progress.returned(message({ recipients }), recipients.slice(0, 2));
  assert.deepEqual(untold.recipients, recipients);
});

Deno.test("who waits can be hastened, and keeps the count of attempts", () => {
  const recipients = [
    recipient("a@x.y", { attempts: 4, nextAttempt: ARRIVED + DAY }),
    recipient("b@x.y", { state: "delivered", nextAttempt: ARRIVED + DAY }),
  ];
  const [a, b] =
    progress.hastened(message({ recipients }), ARRIVED + 5, { lifetime: DAY }).recipients;
  assert.deepEqual(a, { ...recipients[0]!, nextAttempt: ARRIVED + 5 });
  assert.deepEqual(b, recipients[1]);
});

Deno.test("who is hastened has come by then, whatever the clock was when it came", () => {
  const arrival = (arrived: number, now: number) => {
    return progress.hastened(message({ arrived }), now, { lifetime: DAY }).arrived;
  };
  assert.equal(arrival(ARRIVED, ARRIVED + 5), ARRIVED);
  // A clock that is behind for a while must not make it older than it is.
  assert.equal(arrival(ARRIVED, ARRIVED - DAY), ARRIVED);
  assert.equal(arrival(ARRIVED + 9 * DAY, ARRIVED), ARRIVED + DAY);
});
