/** Names of Maildir files: unique, sorted out from other programs' names, free of separators. */

import assert from "node:assert/strict";
import { MaildirNames } from "../../src/mailbox/name.ts";

function names(host: string, process = 7, random = "0123abcd"): MaildirNames {
  return new MaildirNames({ host, process, random, now: () => 1_795_361_806_321 });
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

Deno.test("an earlier process's name on the same host is our own, any other program's is not", () => {
  const source = names("[192.0.2.1]");
  assert.ok(source.isOwn(names("[192.0.2.1]", 99, "ffffffff").next()));
  assert.ok(!source.isOwn(names("me.example").next()));
  assert.ok(!source.isOwn(`${source.next()},S=12`));
  assert.ok(!source.isOwn("1795361806.M321000P7.me.example"));
});
