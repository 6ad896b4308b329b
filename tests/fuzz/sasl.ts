/** Logins: AUTH and the lines behind it, as far as the credentials. */

import assert from "node:assert/strict";
import { parseCommand } from "../../src/smtp/command.ts";
import { Login, type LoginStep } from "../../src/smtp/login.ts";
import { encodeReply } from "../../src/smtp/reply.ts";
import type { Random } from "../support/random.ts";
import { characters, octets, utf8 } from "./octets.ts";
import type { Target } from "./target.ts";

function word(random: Random): string {
  return random.pick([
    "jones",
    "secret",
    utf8("jörg"),
    "",
    "a\0b",
    "\xff\xfe",
    "p".repeat(255),
    "a b",
    "*",
  ]);
}

function base64(random: Random, text: string): string {
  if (random.chance(0.9)) return btoa(text);
  const wrongs = [btoa(text).replace(/=+$/, ""), `${btoa(text)}=`, `${btoa(text)} `, "=", "*", "x"];
  return random.pick([...wrongs, "YR==", "Y Q=", "====", "*", "", "-_-_"]);
}

/** AUTH on the first line, an answer on each further one. */
export const sasl: Target = {
  name: "sasl",
  runs: 15_000,
  words: ["AUTH PLAIN ", "AUTH LOGIN", "\n", "=", "==", "AGEAYg==", "YQ==", "*", "\0"],
  reaches: {
    PLAIN: 0.05,
    LOGIN: 0.06,
    challenge: 0.2,
    denied: 0.03,
    malformed: 0.15,
    cancelled: 0.004,
  },
  generate(random) {
    if (random.chance(0.5)) {
      const all = [
        random.pick(["", "", "jones", "other"]),
        random.pick(["jones", word(random)]),
        word(random),
      ];
      const response = base64(random, all.join("\0"));
      return octets(`AUTH PLAIN${random.chance(0.6) ? " " : "\n"}${response}`);
    }
    const initial = random.chance(0.5) ? " " : "\n";
    return octets(
      `AUTH LOGIN${initial}${base64(random, word(random))}\n${base64(random, word(random))}`,
    );
  },
  run(_, input) {
    const [first = "", ...answers] = characters(input).split("\n");
    const command = parseCommand(first, { startTls: true, auth: true });
    if (!("mechanism" in command)) return [];
    const { mechanism } = command;
    const login = new Login();
    const reached: string[] = [];
    let step = login.begin(command);
    for (const answer of answers) {
      if (step.kind !== "ask") break;
      reached.push("challenge");
      assert.ok(login.asking);
      assert.ok(["", "VXNlcm5hbWU6", "UGFzc3dvcmQ6"].includes(step.reply.lines[0]!));
      step = login.answer(answer);
      if (answer === "*") {
        assert.ok(step.kind === "refuse" && step.reply.code === 501);
        reached.push("cancelled");
      }
    }
    assert.equal(login.asking, step.kind === "ask");
    assert.ok(!login.done, "nobody is logged in but by the owner's word");
    reached.push(...checkStep(step, mechanism, [command.initialResponse, ...answers]));
    return reached;
  },
};

function checkStep(
  step: LoginStep,
  mechanism: string,
  said: readonly (string | undefined)[],
): string[] {
  if (step.kind === "ask") return [];
  if (step.kind === "refuse") {
    assert.match(encodeReply(step.reply), /^5\d\d 5\.\d\.\d [ -~]+\r\n$/);
    return [step.reply.code === 535 ? "denied" : "malformed"];
  }
  const { name, password } = step.credentials;
  assert.ok(name !== "" && password.length > 0 && !password.includes(0));
  // The same once more: NUL parts what PLAIN says, LOGIN says it in two lines.
  const words = said.filter((one) => one !== undefined).slice(0, mechanism === "PLAIN" ? 1 : 2)
    .map((one) => {
      assert.equal(btoa(atob(one)), one, "base64 to the letter");
      return atob(one);
    });
  const parts = mechanism === "PLAIN" ? words[0]!.split("\0").slice(1) : words;
  assert.equal(name, new TextDecoder().decode(octets(parts[0]!)));
  assert.equal(characters(password), parts[1]);
  return [mechanism];
}
