/** The login of one session: from AUTH by way of challenges to credentials, or to a refusal. */

import assert from "node:assert/strict";
import type { Auth } from "../../src/smtp/command.ts";
import { Login, type LoginStep } from "../../src/smtp/login.ts";
import * as replies from "../../src/smtp/reply.ts";
import type { Reply } from "../../src/smtp/reply.ts";

const JONES = btoa("\0jones\0secret");

function auth(mechanism: Auth["mechanism"], initialResponse?: string): Auth {
  return { verb: "AUTH", mechanism, initialResponse };
}

const ask = (text: string): LoginStep => {
  return { kind: "ask", reply: replies.saslChallenge(btoa(text)) };
};
const refuse = (reply: Reply): LoginStep => ({ kind: "refuse", reply });
const judge = (name: string, password: string): LoginStep => {
  return { kind: "judge", credentials: { name, password: new TextEncoder().encode(password) } };
};

/** AUTH, the answers to what it asks, and what each of them comes to. */
const ROWS: readonly (readonly [
  what: string,
  auth: Auth,
  answers: readonly (string | null)[],
  steps: readonly LoginStep[],
])[] = [
  ["PLAIN at once", auth("PLAIN", JONES), [], [judge("jones", "secret")]],
  ["PLAIN when asked", auth("PLAIN"), [JONES], [ask(""), judge("jones", "secret")]],
  ["LOGIN when asked", auth("LOGIN"), [btoa("jones"), btoa("secret")], [
    ask("Username:"),
    ask("Password:"),
    judge("jones", "secret"),
  ]],
  ["LOGIN with the name", auth("LOGIN", btoa("jones")), [btoa("secret")], [
    ask("Password:"),
    judge("jones", "secret"),
  ]],
  ["for another", auth("PLAIN", btoa("smith\0jones\0secret")), [], [refuse(replies.loginRefused)]],
  ["no base64", auth("PLAIN", "x"), [], [refuse(replies.badCredentials)]],
  ["no base64 when asked", auth("PLAIN"), ["x"], [ask(""), refuse(replies.badCredentials)]],
  ["an empty response", auth("PLAIN", "="), [], [refuse(replies.badCredentials)]],
  ["taken back", auth("PLAIN"), ["*"], [ask(""), refuse(replies.loginCancelled)]],
  ["taken back late", auth("LOGIN"), [btoa("jones"), "*"], [
    ask("Username:"),
    ask("Password:"),
    refuse(replies.loginCancelled),
  ]],
  // In the command there is nothing to take back yet.
  ["* in the command", auth("PLAIN", "*"), [], [refuse(replies.badCredentials)]],
  ["** is no *", auth("PLAIN"), ["**"], [ask(""), refuse(replies.badCredentials)]],
  ["too long", auth("PLAIN"), [null], [ask(""), refuse(replies.loginLineTooLong)]],
];

for (const [what, command, answers, steps] of ROWS) {
  Deno.test(`login: ${what}`, () => {
    const login = new Login();
    const came = [login.begin(command)];
    for (const answer of answers) {
      assert.equal(login.asking, true, "the next line is an answer");
      came.push(login.answer(answer));
    }
    assert.deepEqual(came, steps);
    assert.equal(login.asking, false, "the next line is a command");
    assert.equal(login.done, false, "nobody has accepted it yet");
    // Whatever came of it, another one may follow.
    assert.deepEqual(login.begin(auth("PLAIN", JONES)), judge("jones", "secret"));
  });
}

Deno.test("a login that was accepted is the only one (RFC 4954 4)", () => {
  const login = new Login();
  login.begin(auth("PLAIN", JONES));
  login.accept();
  assert.equal(login.done, true);
  for (const again of [auth("PLAIN", JONES), auth("PLAIN"), auth("LOGIN")]) {
    assert.deepEqual(login.begin(again), refuse(replies.loggedInAlready));
    assert.equal(login.asking, false);
  }
});
