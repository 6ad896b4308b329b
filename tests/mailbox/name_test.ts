/** Names of Maildir files: unique, sorted out from other programs' names, free of separators. */

import assert from "node:assert/strict";
import { MaildirNames } from "../../src/mailbox/name.ts";

function names(host: string, process = 7, now = 1_795_361_806_321): MaildirNames {
  return new MaildirNames({ host, process, random: () => 0x0123abcd / 2 ** 32, now: () => now });
}

Deno.test("a name tells time, process, count, random and host", () => {
  const source = names("me.example");
  assert.equal(source.next(), "1795361806.M321000P7Q1R0123abcd.me.example");
  assert.equal(source.next(), "1795361806.M321000P7Q2R0123abcd.me.example");
});

Deno.test("a host that is an address literal leaves no slash, colon or bracket in the name", () => {
  for (const host of ["[192.0.2.1]", "[IPv6:2001:db8::1]", "a/b"]) {
    assert.match(names(host).next(), /^[A-Za-z0-9.\\-]+$/);
  }
});

Deno.test("a name fits into a directory however long the host's is", () => {
  const source = names(Array(4).fill("h".repeat(63)).join("."), 4_194_304);
  for (let i = 0; i < 1000; i++) source.next();
  assert.ok(`${source.next()},S=1099511627776`.length <= 255);
  assert.ok(source.isLeftover(source.next()));
});

Deno.test("what a daemon on this machine left is left over, what another program made never is", () => {
  const source = names("[192.0.2.1]");
  assert.ok(source.isLeftover(names("[192.0.2.1]", 99).next()));
  assert.ok(!source.isLeftover(`x${source.next()}`));
  assert.ok(!source.isLeftover("1795361806.M321000P7.[192.0.2.1]"));
  assert.ok(names("").isLeftover(names("", 99).next()), "nor does it matter that it has no name");
});

Deno.test("what a daemon on another machine works on is not left over until a day and a half later", () => {
  const theirs = names("there.example").next();
  const hours = 3600 * 1000;
  assert.ok(!names("here.example").isLeftover(theirs));
  assert.ok(!names("here.example", 7, 1_795_361_806_321 + 35 * hours).isLeftover(theirs));
  assert.ok(names("here.example", 7, 1_795_361_806_321 + 37 * hours).isLeftover(theirs));
});
