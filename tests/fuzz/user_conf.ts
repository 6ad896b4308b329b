/** user.conf, its passwords' hashes, and who gets whose mail by it. */

import assert from "node:assert/strict";
import { AddressBook, ForwardError } from "../../src/config/address_book.ts";
import { dummyHash, parseHash, unequalHashes } from "../../src/config/password.ts";
import { ValueError } from "../../src/config/problem.ts";
import { readRelayLogin } from "../../src/config/relay_login.ts";
import { readUserConf, type User } from "../../src/config/user_conf.ts";
import { authCommand } from "../../src/smtp/client_login.ts";
import type { Random } from "../support/random.ts";
import { checkMailbox } from "./address.ts";
import { fileLine, problemsOf, withFile, words } from "./conf_file.ts";
import * as grammar from "./grammar.ts";
import { characters, octets, utf8 } from "./octets.ts";
import type { Target } from "./target.ts";

/** Stands in generated files for what must never be shown. */
const SECRET = "s3cr3t";

const SALT = "AAAAAAAAAAAAAAAAAAAAAA";
const KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

function hash(random: Random): string {
  if (random.chance(0.5)) return `$scrypt$ln=14,r=8,p=1$${SALT}$${KEY}`;
  const number = () => random.pick(["1", "8", "14", "10", "17", "18", "99", "0", "-1", "", "08"]);
  const text = () =>
    random.pick([SALT, KEY, "", "AAAA", "AA=", "A", "AB", SECRET, utf8("é"), "A".repeat(90)]);
  return `$${
    random.pick(["scrypt", "scrypt", "2b", ""])
  }$ln=${number()},r=${number()},p=${number()}$${text()}$${text()}`;
}

const USERS = [
  "jones",
  "smith",
  "*",
  "postmaster",
  "a b",
  "staff",
  "Jones",
  '"x"',
  "a@b",
  utf8("ü"),
  "",
  "x:y",
]
  .concat(["l".repeat(64), "l".repeat(65), "a+b", "a\\b"]);

function forward(random: Random): string {
  const own = () => `${random.pick(["jones", "smith", "staff", "nobody", "x+y"])}@me.example`;
  const one = () =>
    random.chance(0.6)
      ? own()
      : random.pick(["a@x.y", `a@[IPv6:${SECRET}]`, grammar.mailbox(random)]);
  return grammar.several(random, one, 1, 3, random.pick([",", ", "]));
}

function user(random: Random): string {
  const name = random.chance(0.7) ? random.pick(USERS.slice(0, 6)) : random.pick(USERS);
  const directory = random.pick([
    "/mail/x",
    "mail/y",
    "./a@b",
    "/",
    "~x",
    "",
    "smith",
    "/mail//",
    "-x",
  ]);
  const target = random.chance(0.5) ? directory : forward(random);
  const third = random.chance(0.3) ? `:${random.chance(0.8) ? hash(random) : SECRET}` : "";
  return random.chance(0.03) ? random.pick([name, "::", ":"]) : `${name}:${target}${third}`;
}

export const userConf: Target = {
  name: "user-conf",
  runs: 2500,
  words: [
    ":",
    ",",
    "@",
    "*",
    "\n",
    '"',
    "/",
    "$scrypt$ln=14,r=8,p=1$",
    SALT,
    "jones",
    "@me.example",
    "#",
  ],
  reaches: { read: 0.1, problem: 0.3, hash: 0.01, forward: 0.05, found: 0.01, circle: 0.03 },
  generate: (random) => octets(grammar.several(random, () => fileLine(random, user(random)), 0, 4)),
  async run(random, input) {
    return await withFile(input, async (file) => {
      const outcome = await problemsOf(input, file, () => readUserConf(file));
      if ("value" in outcome) return ["read", ...checkUsers(random, outcome.value)];
      const lines = characters(input).split("\n");
      for (const { line = 0, message } of outcome.problems) checkSecrecy(lines[line - 1], message);
      return ["problem", ...outcome.problems.map(({ message }) => words(message))];
    });
  },
};

/** Of a line whose fields can be told apart by eye, nothing of the third is shown. */
function checkSecrecy(line: string | undefined, message: string): void {
  if (line === undefined || /["#]/.test(line)) return;
  const [name = "", target = "", ...third] = line.split(":");
  if (!third.join(":").includes(SECRET) || (name + target).includes(SECRET)) return;
  assert.ok(!message.includes(SECRET), message);
}

function checkUsers(random: Random, users: readonly User[]): string[] {
  const reached: string[] = [];
  assert.deepEqual(structuredClone(users), users);
  const book = new AddressBook(["me.example", "[192.0.2.1]"], users);
  const hashes = users.flatMap((user) => user.hash ?? []);
  for (const one of hashes) parseHash(one);
  parseHash(dummyHash(hashes));
  if (hashes.length > 0) reached.push("hash");
  assert.ok(unequalHashes(hashes).every((one) => hashes.includes(one)));
  for (const user of users) {
    if ("forwards" in user.target) {
      user.target.forwards.forEach(checkMailbox);
      reached.push("forward");
    }
    try {
      book.endsOf(user);
    } catch (error) {
      assert.ok(error instanceof ForwardError);
      assert.match(error.message, /^[ -~]+$/);
      reached.push("circle");
      return reached;
    }
  }
  // Each user who has no circle in the file gets mail by name, with a tag too, and so does the postmaster.
  assert.ok(book.find("postmaster"));
  for (const { name } of users) {
    if (name === "*") continue;
    assert.ok(book.find(name));
    if (!name.includes("+")) assert.ok(book.find(`${name.toUpperCase()}+tag`));
    assert.ok(book.owns(name, name));
    assert.ok(!book.owns(name, "*"));
  }
  const anybody = grammar.localPart(random);
  if (book.find(anybody)) reached.push("found");
  for (const { name } of users) book.owns(name, anybody);
  assert.ok(!book.owns("nobody at all", anybody));
  return reached;
}

export const passwordHash: Target = {
  name: "password-hash",
  runs: 20_000,
  words: ["$scrypt$", "ln=", ",r=", ",p=", "$", "=", SALT, KEY, "17", "10"],
  reaches: { read: 0.14, refused: 0.3 },
  generate: (random) => octets(hash(random)),
  run(_, input) {
    const text = characters(input);
    let parsed;
    try {
      parsed = parseHash(text);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      assert.match(error.message, /^[ -~]{1,100}$/);
      assert.ok(!error.message.includes(SECRET));
      return ["refused", words(error.message)];
    }
    const { ln, r, p, salt, key } = parsed;
    assert.ok(128 * r * 2 ** ln <= 128 * 1024 ** 2 && p <= 8, "what a login may cost is bounded");
    assert.ok(salt.length >= 8 && key.length >= 16 && key.length <= 64);
    const printed = `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(key)}`;
    assert.deepEqual(parseHash(printed), parsed);
    const { salt: _salt, key: _key, ...cost } = parseHash(dummyHash([text]));
    assert.deepEqual(cost, { ln, r, p });
    return ["read"];
  },
};

const base64 = (bytes: Uint8Array) => bytes.toBase64({ omitPadding: true });

/** The file that RELAY_LOGIN_FILE names. */
export const relayLogin: Target = {
  name: "relay-login",
  runs: 2500,
  words: [":", "\n", "#", "\r\n", "\0", SECRET, utf8("é"), " "],
  reaches: { read: 0.14, refused: 0.3 },
  generate(random) {
    const login = () =>
      `${random.pick(["user", "a@b", "", utf8("ü"), "u:v"])}:${
        random.pick([SECRET, " x ", "", "p".repeat(400)])
      }`;
    const line = () => random.pick(["# comment", "", "  ", SECRET, login(), login(), login()]);
    return octets(grammar.several(random, line, 1, 3, random.pick(["\n", "\r\n"])) + "\n");
  },
  async run(_, input) {
    return await withFile(input, async (file) => {
      let login;
      try {
        login = await readRelayLogin(file);
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        assert.match(error.message, /^[ -~]{1,200}$/);
        assert.ok(!error.message.includes(SECRET), "no part of the file is shown");
        return ["refused", words(error.message)];
      }
      const command = authCommand(login);
      assert.match(command, /^AUTH PLAIN [A-Za-z0-9+/]+=*$/);
      assert.ok(command.length <= 510);
      const said = new TextDecoder().decode(octets(atob(command.split(" ")[2]!)));
      assert.deepEqual(said.split("\0"), ["", login.user, login.password]);
      return ["read"];
    });
  },
};
