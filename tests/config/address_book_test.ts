/** Who gets the mail for an address: names, tags, the postmaster, the rest, and forwards. */

import assert from "node:assert/strict";
import { AddressBook, ForwardError } from "../../src/config/address_book.ts";
import type { User } from "../../src/config/user_conf.ts";
import { parseMailbox } from "../../src/smtp/address.ts";

/** A book of me.example with lines as user.conf has them; what has an @ is a forward. */
function book(...lines: string[]): AddressBook {
  return new AddressBook(["me.example", "[192.0.2.1]"], lines.map(user));
}

function user(line: string, i: number): User {
  const [name = "", value = ""] = line.split(/:(.*)/);
  const target = value.includes("@")
    ? { forwards: value.split(",").map((text) => parseMailbox(text.trim())) }
    : { directory: value };
  return { name, target, hash: undefined, line: i + 1 };
}

/** Directories and addresses that the local-part's mail goes to. */
function ends(book: AddressBook, localPart: string): string[] | undefined {
  const found = book.find(localPart);
  if (!found) return undefined;
  const remote = found.remote.map(({ localPart, domain }) => `${localPart}@${domain}`);
  return [...found.directories, ...remote];
}

Deno.test("a user is found in whatever case", () => {
  const users = book("jones:/jones", "Joe,Smith:/joe", "a b:/ab");
  for (const name of ["jones", "Jones", "JONES"]) assert.deepEqual(ends(users, name), ["/jones"]);
  assert.deepEqual(ends(users, "joe,smith"), ["/joe"]);
  assert.deepEqual(ends(users, "A B"), ["/ab"]);
});

Deno.test("who has no line has no mailbox", () => {
  const users = book("jones:/jones");
  for (const name of ["green", "", "jone", "joness", "jones ", "*", "+", "+x", "../../x"]) {
    assert.equal(users.find(name), undefined, name);
  }
  for (const name of ["__proto__", "constructor", "toString"]) {
    assert.equal(users.find(name), undefined, name);
  }
});

Deno.test("what follows a + is a tag", () => {
  const users = book("jones:/jones", "green+list:/list", "green:/green");
  assert.deepEqual(ends(users, "jones+x"), ["/jones"]);
  assert.deepEqual(ends(users, "Jones+"), ["/jones"]);
  assert.deepEqual(ends(users, "jones+a+b"), ["/jones"]);
  // A line of its own comes before.
  assert.deepEqual(ends(users, "green+list"), ["/list"]);
  assert.deepEqual(ends(users, "GREEN+LIST"), ["/list"]);
  assert.deepEqual(ends(users, "green+other"), ["/green"]);
  assert.equal(users.find("smith+x"), undefined);
  assert.equal(users.find("+jones"), undefined);
});

Deno.test("the postmaster always has a mailbox (RFC 5321 4.5.1, 53-23)", () => {
  assert.deepEqual(ends(book("jones:/jones", "smith:/smith"), "PostMaster"), ["/jones"]);
  assert.deepEqual(ends(book("jones:/jones", "Postmaster:/pm"), "postmaster"), ["/pm"]);
  // Who takes the rest is not meant to be the postmaster while there is somebody else.
  assert.deepEqual(ends(book("*:/rest", "jones:/jones"), "postmaster"), ["/jones"]);
  assert.deepEqual(ends(book("*:/rest"), "postmaster"), ["/rest"]);
  assert.deepEqual(ends(book("jones:/jones"), "postmaster+x"), ["/jones"]);
  assert.deepEqual(ends(book("jones:fred@far.example"), "postmaster"), ["fred@far.example"]);
});

Deno.test("* takes what no other line takes", () => {
  const users = book("jones:/jones", "*:/rest");
  assert.deepEqual(ends(users, "jones"), ["/jones"]);
  assert.deepEqual(ends(users, "jones+x"), ["/jones"]);
  for (const name of ["green", "green+x", "+", "*", "*+x", ""]) {
    assert.deepEqual(ends(users, name), ["/rest"], name);
  }
});

Deno.test("local is what the book was told, in whatever case, and the bare postmaster's", () => {
  const users = book("jones:/jones");
  for (const domain of ["me.example", "ME.Example", "[192.0.2.1]", ""]) {
    assert.equal(users.isLocal(domain), true, domain);
  }
  for (const domain of ["example", "x.me.example", "me.example.org", "[192.0.2.2]", "192.0.2.1"]) {
    assert.equal(users.isLocal(domain), false, domain);
  }
});

Deno.test("forwards go to users here and to addresses elsewhere, each once", () => {
  const users = book(
    "jones:/jones",
    "smith:/smith",
    "same:/jones",
    "staff:jones@me.example, smith+x@ME.EXAMPLE, fred@far.example, jones@me.example",
    "all:staff@me.example, same@[192.0.2.1], fred@far.example, Fred@far.example",
    "chief:postmaster@me.example",
  );
  assert.deepEqual(ends(users, "staff"), ["/jones", "/smith", "fred@far.example"]);
  assert.deepEqual(ends(users, "all"), [
    "/jones",
    "/smith",
    "fred@far.example",
    // Only its own host knows whether the case of a local-part matters (RFC 5321 2.4).
    "Fred@far.example",
  ]);
  assert.deepEqual(ends(users, "chief"), ["/jones"]);
});

Deno.test("one mailbox in two spellings of its domain is one (RFC 5321 2.4)", () => {
  const users = book("staff:fred@far.example, fred@FAR.example");
  assert.equal(users.find("staff")?.remote.length, 1);
});

Deno.test("two ways to one user are no circle", () => {
  const users = book(
    "a:b@me.example, c@me.example",
    "b:d@me.example",
    "c:d@me.example",
    "d:/d",
  );
  assert.deepEqual(ends(users, "a"), ["/d"]);
});

/** A book, whom to look for, and what is wrong. */
const BROKEN: readonly (readonly [lines: string[], name: string, message: string])[] = [
  [["a:a@me.example"], "a", "forwards go in a circle: a -> a"],
  [["a:b@me.example", "b:A@ME.example"], "a", "forwards go in a circle: a -> b -> a"],
  [
    ["a:b@me.example", "b:c@me.example", "c:b@me.example"],
    "a",
    "forwards go in a circle: b -> c -> b",
  ],
  [["a:a+x@me.example"], "a", "forwards go in a circle: a -> a"],
  [["*:x@me.example"], "y", "forwards go in a circle: * -> *"],
  [["a:postmaster@me.example"], "postmaster", "forwards go in a circle: a -> a"],
  [["a:/a", "b:green@me.example"], "b", "forwards to green@me.example, but there is no such user"],
  [
    ["a:/a", 'b:"x y"@[192.0.2.1]'],
    "b",
    'forwards to "x y"@[192.0.2.1], but there is no such user',
  ],
];

for (const [lines, name, message] of BROKEN) {
  Deno.test(`forward: ${message}`, () => {
    assert.throws(() => book(...lines).find(name), (error) => {
      assert.ok(error instanceof ForwardError);
      assert.equal(error.message, message);
      return true;
    });
  });
}

Deno.test("a chain of forwards has an end, and is no way to exhaust the stack", () => {
  const chain = (length: number) =>
    book(
      ...Array.from({ length }, (_, i) => `u${i}:u${i + 1}@me.example`),
      `u${length}:/end`,
    );
  assert.deepEqual(ends(chain(50), "u0"), ["/end"]);
  assert.throws(() => chain(20_000).find("u0"), /forwards through more than 100 users/);
});

Deno.test("a first user whose mail leaves is not made the postmaster", () => {
  const users = book("ops:ops@far.example", "john:/john");
  assert.deepEqual(ends(users, "postmaster"), ["/john"]);
});

Deno.test("a user who forwards to the postmaster does not go in circles", () => {
  const users = book("a:postmaster@me.example", "b:/b");
  assert.deepEqual(ends(users, "postmaster"), ["/b"]);
  assert.deepEqual(ends(users, "a"), ["/b"]);
});

/** A book, a user, and which local-parts are that user's own and which are not. */
const OWNED: readonly (readonly [
  what: string,
  lines: readonly string[],
  name: string,
  own: readonly string[],
  others: readonly string[],
])[] = [
  [
    "the name, in any case, and with a tag",
    ["jones:/jones", "smith:/smith"],
    "smith",
    ["smith", "SMITH", "Smith+", "smith+x", "smith+a+b"],
    ["jones", "smit", "smiths", "smith ", "+smith", "jones+smith", "", "*", "__proto__"],
  ],
  [
    "a tag with a line of its own is that line's",
    ["jones:/jones", "jones+work:/work"],
    "jones",
    ["jones", "jones+other", "jones+work+x"],
    ["jones+work", "JONES+WORK"],
  ],
  ["and not the other way round", ["jones:/jones", "jones+work:/work"], "jones+work", [
    "jones+work",
  ], ["jones", "jones+other", "jones+work+x"]],
  [
    "what forwards to the user, by however many steps",
    [
      "jones:/jones",
      "smith:/smith",
      "staff:jones@me.example, smith+x@ME.EXAMPLE",
      "all:staff@[192.0.2.1], fred@far.example",
      "away:fred@far.example",
      "boss:jones@me.example",
    ],
    "smith",
    ["staff", "Staff+x", "all"],
    ["away", "boss", "jones"],
  ],
  [
    "an address elsewhere is nobody's here, though the name is the same",
    ["jones:/jones", "list:jones@far.example", "sub:jones@x.me.example"],
    "jones",
    ["jones"],
    ["list", "sub"],
  ],
  [
    "a user who has all mail sent on is still who it is",
    ["jones:fred@far.example", "smith:jones@me.example"],
    "jones",
    ["jones", "jones+x", "smith"],
    ["fred"],
  ],
  ["the same directory is not the same user", ["jones:/shared", "smith:/shared"], "jones", [
    "jones",
  ], ["smith"]],
  ["the first user is the postmaster", ["jones:/jones", "smith:/smith"], "jones", [
    "postmaster",
    "PostMaster",
    "postmaster+x",
  ], []],
  ["and another is not", ["jones:/jones", "smith:/smith"], "smith", [], ["postmaster"]],
  ["a postmaster with a line is that line", ["jones:/jones", "postmaster:/pm"], "jones", [], [
    "postmaster",
  ]],
  [
    "which may be a user's",
    ["jones:/jones", "smith:/smith", "postmaster:smith@me.example"],
    "smith",
    ["postmaster"],
    ["jones"],
  ],
  [
    "what forwards to the postmaster is the postmaster's",
    ["jones:/jones", "smith:/smith", "root:postmaster@me.example"],
    "jones",
    ["root"],
    [],
  ],
  [
    "what * takes is nobody's, and what forwards there neither",
    ["jones:/jones", "*:jones@me.example", "sales:nobody@me.example"],
    "jones",
    ["jones"],
    ["anybody", "*", "*+x", "", "+", "sales"],
  ],
  [
    "in a circle nothing is found but what is in it",
    ["a:b@me.example", "b:c@me.example, jones@me.example", "c:a@me.example", "jones:/jones"],
    "jones",
    ["a", "b", "c"],
    [],
  ],
  [
    "and who is not in it owns nothing of it",
    ["a:b@me.example", "b:c@me.example", "c:a@me.example", "jones:/jones"],
    "jones",
    [],
    ["a", "b", "c"],
  ],
  ["somebody who is no user owns nothing", ["jones:/jones", "*:/rest"], "green", [], [
    "green",
    "jones",
    "*",
  ]],
];

for (const [what, lines, name, own, others] of OWNED) {
  Deno.test(`own addresses: ${what}`, () => {
    const users = book(...lines);
    for (const localPart of own) assert.equal(users.owns(name, localPart), true, localPart);
    for (const localPart of others) assert.equal(users.owns(name, localPart), false, localPart);
    for (const localPart of own) assert.equal(users.owns(name.toUpperCase(), localPart), true);
  });
}

Deno.test("own addresses: many ways to many users take no time to speak of", () => {
  // Each forwards to all that follow: as many ways as there are sets of them.
  const count = 60;
  const names = Array.from({ length: count }, (_, i) => `u${i}`);
  const lines = names.map((name, i) => {
    const next = names.slice(i + 1).map((other) => `${other}@me.example`);
    return next.length > 0 ? `${name}:${next.join(",")}` : `${name}:/end`;
  });
  const users = book(...lines, "jones:/jones");
  assert.equal(users.owns(`u${count - 1}`, "u0"), true);
  assert.equal(users.owns("jones", "u0"), false);
});
