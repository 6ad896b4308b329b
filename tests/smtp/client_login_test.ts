/** Logging in: under TLS, by PLAIN, and to nobody who has not been asked for that (RFC 4954, RFC 4616). */

import assert from "node:assert/strict";
import { type ClientEvent, ClientSession } from "../../src/smtp/client.ts";
import { withoutSecrets } from "../../src/smtp/client_login.ts";
import type { ClientOptions } from "../../src/smtp/introduction.ts";
import { ReplyError } from "../../src/smtp/reply_reader.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { bytes } from "./client_script.ts";

const LOGIN = { user: "jones", password: "se:cret caf\u00e9" };
/** What `printf '\0jones\0se:cret café' | base64` says. */
const AUTH = "AUTH PLAIN AGpvbmVzAHNlOmNyZXQgY2Fmw6k=\r\n";
const OFFERS_TLS = "250-s\r\n250 STARTTLS\r\n";
const OFFERS_AUTH = "250-s\r\n250 AUTH LOGIN PLAIN\r\n";

/** What the session says to each of these, and what it tells at last; `(tls)` is the handshake. */
function converse(replies: readonly string[], options: Partial<ClientOptions> = { login: LOGIN }) {
  const session = new ClientSession({ host: "me.example", wantsTls: true, ...options });
  const said: string[] = [];
  let event: ClientEvent | undefined;
  for (const reply of replies) {
    if (reply === "(tls)") session.secured();
    else {
      session.feed(bytes(reply));
      event = session.next();
    }
    said.push(session.takeOutput());
  }
  const told = event && "reply" in event ? `${event.kind}: ${replyText(event.reply)}` : event?.kind;
  return { session, said, told };
}

const HELLO = "EHLO me.example\r\n";

Deno.test("the login follows the EHLO under TLS, and mail can be sent after it", () => {
  const { session, said, told } = converse([
    "220 s\r\n",
    OFFERS_TLS,
    "220 go\r\n",
    "(tls)",
    OFFERS_AUTH,
    "235 2.7.0 welcome\r\n",
  ]);
  assert.deepEqual(said, [HELLO, "STARTTLS\r\n", "", HELLO, AUTH, ""]);
  assert.equal(told, "ready");
  assert.ok(session.usable);
});

Deno.test("where TLS begins with the connection there is no STARTTLS, though it is offered", () => {
  const options = { login: LOGIN, implicitTls: true };
  const { said } = converse(["220 s\r\n", "250-s\r\n250-STARTTLS\r\n250 auth plain\r\n"], options);
  assert.deepEqual(said, [HELLO, AUTH]);
});

for (
  const [what, replies, why] of [
    ["STARTTLS is not offered", [OFFERS_AUTH], "The server does not offer STARTTLS"],
    ["EHLO is not known", ["500 what?\r\n", "250 s\r\n"], "The server does not offer STARTTLS"],
    [
      "STARTTLS is refused",
      [OFFERS_TLS, "454 4.7.0 not now\r\n"],
      "The server refuses STARTTLS: 454 4.7.0 not now",
    ],
    [
      "AUTH is offered before TLS alone",
      ["250-s\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", "220 go\r\n", "(tls)", "250 s\r\n"],
      "The server does not offer AUTH PLAIN",
    ],
    [
      "PLAIN is not offered",
      [OFFERS_TLS, "220 go\r\n", "(tls)", "250-s\r\n250 AUTH LOGIN PLAINER\r\n"],
      "The server does not offer AUTH PLAIN",
    ],
    [
      "EHLO is not known under TLS",
      [OFFERS_TLS, "220 go\r\n", "(tls)", "500 what?\r\n", "250 s\r\n"],
      "The server does not offer AUTH PLAIN",
    ],
  ] as const
) {
  Deno.test(`where ${what} nothing of the login is said, and no mail`, () => {
    const { session, said, told } = converse(["220 s\r\n", ...replies]);
    assert.equal(told, `unsuitable: 454 4.7.4 ${why}`);
    assert.ok(!said.join("").includes("AUTH"), said.join(""));
    assert.ok(!session.usable);
    session.quit();
    assert.equal(session.takeOutput(), "QUIT\r\n");
  });
}

Deno.test("without a login TLS can be asked for all the same", () => {
  const { told } = converse(["220 s\r\n", "250 s\r\n"], { needsTls: true });
  assert.equal(told, "unsuitable: 454 4.7.4 The server does not offer STARTTLS");
});

for (
  const [reply, told] of [
    ["535 5.7.8 wrong\r\n", "login refused: 535 5.7.8 wrong"],
    ["504 5.5.4 no PLAIN here\r\n", "login refused: 504 5.5.4 no PLAIN here"],
    ["454 4.7.0 later\r\n", "refused: 454 4.7.0 later"],
    ["421 4.3.2 bye\r\n", "refused: 421 4.3.2 bye"],
  ] as const
) {
  Deno.test(`${reply.trim()} to the login ends it`, () => {
    const options = { login: LOGIN, implicitTls: true };
    const { session, told: heard } = converse(["220 s\r\n", OFFERS_AUTH, reply], options);
    assert.equal(heard, told);
    assert.ok(!session.usable);
  });
}

const RESPONSE = btoa(`\0${LOGIN.user}\0${LOGIN.password}`);
for (
  const [what, reply] of [
    ["the command", `500 5.5.1 unknown command AUTH PLAIN ${RESPONSE}`],
    ["the response in another case", `535-5.7.8 no\r\n535 5.7.8 ${RESPONSE.toLowerCase()}`],
    ["a piece of the response", `454 4.7.0 (${RESPONSE.slice(4, 14)}...)`],
    ["the response over two lines", `421-${RESPONSE.slice(0, 6)}\r\n421 ${RESPONSE.slice(6)}`],
    ["the password", `535 5.7.8 wrong: ${LOGIN.password}`],
  ] as const
) {
  Deno.test(`an answer to the login that repeats ${what} is told without it`, () => {
    const options = { login: LOGIN, implicitTls: true };
    const { told } = converse(["220 s\r\n", OFFERS_AUTH, `${reply}\r\n`], options);
    assert.match(told ?? "", /refused: \d\d\d .*\(kept back, it repeats the login\)$/);
    assert.ok(!told?.includes(LOGIN.password) && !told?.includes(RESPONSE.slice(4, 14)));
  });
}

Deno.test("what answers a login and is no reply is not quoted", () => {
  const options = { login: LOGIN, implicitTls: true };
  const answer = `AUTH PLAIN ${RESPONSE}\r\n`;
  assert.throws(
    () => converse(["220 s\r\n", OFFERS_AUTH, answer], options),
    new ReplyError("the server's answer to AUTH is no reply"),
  );
});

Deno.test("334 is no answer to a login that is whole", () => {
  const options = { login: LOGIN, implicitTls: true };
  assert.throws(() => converse(["220 s\r\n", OFFERS_AUTH, "334 \r\n"], options), ReplyError);
});

Deno.test("an answer to AUTH that comes before AUTH is none (BUG-8)", () => {
  const options = { login: LOGIN, implicitTls: true };
  const session = new ClientSession({ host: "me.example", wantsTls: true, ...options });
  session.feed(bytes("220 s\r\n"));
  session.next();
  session.takeOutput();
  session.feed(bytes(`${OFFERS_AUTH}235 2.7.0 welcome\r\n`));
  assert.throws(() => session.next(), ReplyError);
});

Deno.test("what is slipped in behind the answer to AUTH is no answer to MAIL (BUG-8)", () => {
  const options = { login: LOGIN, implicitTls: true };
  const { session } = converse(
    ["220 s\r\n", OFFERS_AUTH, "235 2.7.0 welcome\r\n250 2.1.0 OK\r\n"],
    options,
  );
  assert.ok(!session.usable);
  assert.throws(() => session.next(), ReplyError);
});

Deno.test("what is slipped in behind 220 to STARTTLS offers no login (BUG-8)", () => {
  const { told, said } = converse([
    "220 s\r\n",
    OFFERS_TLS,
    `220 go\r\n${OFFERS_AUTH}`,
    "(tls)",
    "250 s\r\n",
  ]);
  assert.equal(told, "unsuitable: 454 4.7.4 The server does not offer AUTH PLAIN");
  assert.ok(!said.join("").includes("AUTH"));
});

Deno.test("a login that no command has room for is refused at once", () => {
  const session = (length: number) =>
    new ClientSession({
      host: "me.example",
      wantsTls: true,
      login: { user: "jones", password: "x".repeat(length) },
    });
  // 512 octets are `AUTH PLAIN `, 496 of base64 for 372 octets, and CR LF.
  assert.ok(session(365));
  assert.throws(() => session(367), RangeError);
});

Deno.test("what is shown of a login does not tell the secret", () => {
  assert.equal(
    withoutSecrets(`EHLO me.example\r\n${AUTH}MAIL FROM:<>\r\n`),
    "EHLO me.example\r\nAUTH PLAIN ***\r\nMAIL FROM:<>\r\n",
  );
});
