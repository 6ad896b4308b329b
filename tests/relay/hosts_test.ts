/** What is remembered of hosts, and for how long. */

import assert from "node:assert/strict";
import { HostMemory } from "../../src/relay/hosts.ts";
import { noConnection } from "../../src/relay/verdict.ts";
import { FakeClock } from "../support/fake_clock.ts";

const DOWN_FOR = 150_000;
const HOUR = 3_600_000;
const WHY = noConnection("a.test", "no answer");

const target = (address: string, port = 25) => ({ host: "a.test", address, port });
const A = target("192.0.2.1");
const B = target("192.0.2.2");

function remember(): { clock: FakeClock; hosts: HostMemory } {
  const clock = new FakeClock();
  return { clock, hosts: new HostMemory(clock, DOWN_FOR) };
}

Deno.test("a host that is down stays so for a while, with the reason, and no longer", () => {
  const { clock, hosts } = remember();
  assert.equal(hosts.whyDown(A), undefined);
  hosts.markDown(A, WHY);
  assert.equal(hosts.whyDown(A), WHY);
  clock.advance(DOWN_FOR - 1);
  assert.equal(hosts.whyDown(A), WHY);
  clock.advance(1);
  assert.equal(hosts.whyDown(A), undefined);
});

Deno.test("a clock that is set back makes nothing last for longer", () => {
  const clock = { time: 5 * HOUR, now: () => clock.time, after: () => () => {} };
  const hosts = new HostMemory(clock, DOWN_FOR);
  hosts.markDown(A, WHY);
  hosts.markPlain(A);
  clock.time = 0;
  assert.equal(hosts.whyDown(A), undefined);
  assert.equal(hosts.canTls(A), true);
});

Deno.test("a host that is found down again is so from then on, for the new reason", () => {
  const { clock, hosts } = remember();
  hosts.markDown(A, WHY);
  clock.advance(DOWN_FOR - 1);
  const again = noConnection("a.test", "no server listens there");
  hosts.markDown(A, again);
  clock.advance(DOWN_FOR - 1);
  assert.equal(hosts.whyDown(A), again);
});

Deno.test("a host that answers is up at once", () => {
  const { hosts } = remember();
  hosts.markDown(A, WHY);
  hosts.markUp(A);
  assert.equal(hosts.whyDown(A), undefined);
});

Deno.test("what holds of one address and port holds of no other, whatever the host is called", () => {
  const { hosts } = remember();
  hosts.markDown(A, WHY);
  hosts.markPlain(A);
  for (const other of [B, target(A.address, 587)]) {
    assert.equal(hosts.whyDown(other), undefined);
    assert.ok(hosts.canTls(other));
  }
  const alias = { ...A, host: "b.test" };
  assert.equal(hosts.whyDown(alias), WHY);
  assert.ok(!hosts.canTls(alias));
});

Deno.test("a host where TLS failed is spoken to in plain text for an hour", () => {
  const { clock, hosts } = remember();
  assert.ok(hosts.canTls(A));
  hosts.markPlain(A);
  clock.advance(HOUR - 1);
  assert.ok(!hosts.canTls(A));
  clock.advance(1);
  assert.ok(hosts.canTls(A));
});

Deno.test("being down and being plain are two things", () => {
  const { hosts } = remember();
  hosts.markPlain(A);
  assert.equal(hosts.whyDown(A), undefined);
  hosts.markDown(B, WHY);
  assert.ok(hosts.canTls(B));
  hosts.markUp(A);
  assert.ok(!hosts.canTls(A));
});

Deno.test("who cannot prove one name may prove another one at the same place", () => {
  const { clock, hosts } = remember();
  hosts.markUnproven(A, WHY);
  assert.equal(hosts.whyUnproven(A), WHY);
  assert.equal(hosts.whyUnproven({ ...A, host: "b.test" }), undefined);
  for (const other of [B, target(A.address, 587)]) {
    assert.equal(hosts.whyUnproven(other), undefined);
  }
  clock.advance(DOWN_FOR);
  assert.equal(hosts.whyUnproven(A), undefined);
});

Deno.test("when all is forgotten nothing is held against anybody", () => {
  const { hosts } = remember();
  hosts.markDown(A, WHY);
  hosts.markPlain(B);
  hosts.markUnproven(B, WHY);
  hosts.forget();
  assert.equal(hosts.whyDown(A), undefined);
  assert.equal(hosts.whyUnproven(B), undefined);
  assert.ok(hosts.canTls(B));
});

Deno.test("ten thousand hosts are remembered; then the one longest unheard of is forgotten", () => {
  const { hosts } = remember();
  const all = Array.from({ length: 10_000 }, (_, i) => target(`10.0.${i >> 8}.${i & 255}`));
  for (const one of all) {
    hosts.markDown(one, WHY);
    hosts.markPlain(one);
  }
  const [first, second, third] = all;
  assert.ok(first && second && third);
  assert.equal(hosts.whyDown(first), WHY);
  // Whoever is found down again is the latest one.
  hosts.markDown(first, WHY);
  hosts.markDown(A, WHY);
  assert.deepEqual([first, second, third, A].map((one) => hosts.whyDown(one)), [
    WHY,
    undefined,
    WHY,
    WHY,
  ]);
  hosts.markPlain(A);
  assert.deepEqual([first, second, A].map((one) => hosts.canTls(one)), [true, false, false]);
});
