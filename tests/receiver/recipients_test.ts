/** Which recipients are taken, and where their mail goes: the table of decisions. */

import assert from "node:assert/strict";
import { AddressBook } from "../../src/config/address_book.ts";
import type { User } from "../../src/config/user_conf.ts";
import { decideRecipient } from "../../src/receiver/recipients.ts";
import { parseMailbox, printMailbox, readForwardPath } from "../../src/smtp/address.ts";
import { Cursor } from "../../src/smtp/cursor.ts";
import { replyText } from "../../src/smtp/reply.ts";

const inDirectory = (name: string): User["target"] => ({ directory: `/${name}` });
const forwarding = (...to: string[]): User["target"] => ({ forwards: to.map(parseMailbox) });

const USERS = Object.entries({
  jones: inDirectory("jones"),
  smith: inDirectory("smith"),
  "Joe,Smith": inDirectory("joe"),
  away: forwarding("fred@far.example"),
  both: forwarding("jones@me.example", "fred@far.example", "ann@far.example"),
}).map(([name, target], i): User => ({ name, target, hash: undefined, line: i + 1 }));

const book = new AddressBook(["me.example", "[192.0.2.1]", "also.example"], USERS);

const OK = "250 2.1.5";
const UNKNOWN = "550 5.1.1";
const DENIED = "550 5.7.1";

/** What a stranger hears, and one who may relay; and the places when it is taken. */
const TABLE: readonly (readonly [
  what: string,
  path: string,
  stranger: string,
  friend: string,
  places: string,
])[] = [
  ["a user", "jones@me.example", OK, OK, "/jones"],
  ["a user in another case", "JONES@ME.EXAMPLE", OK, OK, "/jones"],
  ["a user at a further domain", "smith@also.example", OK, OK, "/smith"],
  ["a user at a literal of the configuration", "jones@[192.0.2.1]", OK, OK, "/jones"],
  ["a user at the literal of this end", "jones@[203.0.113.7]", OK, OK, "/jones"],
  ["a user with a tag", "jones+list@me.example", OK, OK, "/jones"],
  ["the postmaster", "postmaster", OK, OK, "/jones"],
  ["nobody", "nobody@me.example", UNKNOWN, UNKNOWN, ""],
  ["nobody at the literal of this end", "nobody@[203.0.113.7]", UNKNOWN, UNKNOWN, ""],
  ["somebody elsewhere", "fred@far.example", DENIED, OK, "fred@far.example"],
  ["a user's name elsewhere", "jones@far.example", DENIED, OK, "jones@far.example"],
  [
    "the postmaster of another host",
    "postmaster@far.example",
    DENIED,
    OK,
    "postmaster@far.example",
  ],
  ["a domain below ours", "jones@sub.me.example", DENIED, OK, "jones@sub.me.example"],
  ["a literal that is not ours", "jones@[192.0.2.9]", DENIED, OK, "jones@[192.0.2.9]"],
  ["a local route to a user", "@far.example:jones@me.example", OK, OK, "/jones"],
  ["a route by way of us", "@me.example:fred@far.example", DENIED, OK, "fred@far.example"],
  ["the same with commas", "@me.example,fred@far.example", DENIED, OK, "fred@far.example"],
  ["a route by way of us to nobody", "@me.example:nobody@me.example", UNKNOWN, UNKNOWN, ""],
  ["a percent sign", "fred%far.example@me.example", UNKNOWN, UNKNOWN, ""],
  ["a bang", "far.example!fred@me.example", UNKNOWN, UNKNOWN, ""],
  [
    "a percent sign elsewhere, which is theirs to read",
    "a%me.example@far.example",
    DENIED,
    OK,
    "a%me.example@far.example",
  ],
  ["an address in quotes", '"fred@far.example"@me.example', UNKNOWN, UNKNOWN, ""],
  [
    "our address in quotes elsewhere",
    '"jones@me.example"@far.example',
    DENIED,
    OK,
    '"jones@me.example"@far.example',
  ],
  ["a user in quotes he does not need", '"jones"@me.example', OK, OK, "/jones"],
  ["a user in quotes he needs", '"Joe,Smith"@me.example', OK, OK, "/joe"],
  ["a forward to another host is open to all", "away@me.example", OK, OK, "fred@far.example"],
  [
    "a forward to users here and elsewhere",
    "both@me.example",
    OK,
    OK,
    "/jones fred@far.example ann@far.example",
  ],
];

for (const [what, path, stranger, friend, places] of TABLE) {
  Deno.test(`${what}: ${path}`, () => {
    for (const [mayRelay, expected] of [[false, stranger], [true, friend]] as const) {
      const { reply, destination } = decideRecipient(book, mailboxOf(path), {
        ownLiteral: "[203.0.113.7]",
        mayRelay,
      });
      assert.ok(replyText(reply).startsWith(expected), `${mayRelay}: ${replyText(reply)}`);
      const { directories = [], remote = [] } = destination ?? {};
      assert.equal(
        [...directories, ...remote.map(printMailbox)].join(" "),
        expected === OK ? places : "",
      );
    }
  });
}

/** What the session hands on of a forward-path. */
function mailboxOf(path: string) {
  return readForwardPath(new Cursor(`<${path}>`)).mailbox;
}
