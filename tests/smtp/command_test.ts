/** One line becomes one command, or the reply that refuses it (RFC 5321 4.1; RFC 788 4.1). */

import assert from "node:assert/strict";
import {
  type Command,
  isVerb,
  LONGEST_LINE,
  LONGEST_LINE_WITH_AUTH,
  parseCommand,
} from "../../src/smtp/command.ts";
import * as replies from "../../src/smtp/reply.ts";
import type { Reply } from "../../src/smtp/reply.ts";

const ALPHA = { localPart: "Smith", domain: "Alpha" };

function mail(
  reversePath = ALPHA as typeof ALPHA | null,
  rest: { size?: number; body?: "7BIT" | "8BITMIME"; extended?: boolean } = {},
): Command {
  return { verb: "MAIL", reversePath, size: undefined, body: "7BIT", extended: false, ...rest };
}

function rcpt(localPart: string, domain: string): Command {
  return { verb: "RCPT", forwardPath: { localPart, domain } };
}

const GOOD: readonly (readonly [line: string, command: Command])[] = [
  ["HELO a.example", { verb: "HELO", domain: "a.example" }],
  ["EHLO a.example", { verb: "EHLO", domain: "a.example" }],
  ["EHLO Alpha", { verb: "EHLO", domain: "Alpha" }],
  ["EHLO [192.0.2.1]", { verb: "EHLO", domain: "[192.0.2.1]" }],
  // 53-20: literals of every kind, in one form.
  ["EHLO [IPv6:::1]", { verb: "EHLO", domain: "[IPv6:::1]" }],
  ["EHLO [IPV6:FE80::1]", { verb: "EHLO", domain: "[IPv6:fe80::1]" }],
  ["EHLO [tag:x]", { verb: "EHLO", domain: "[tag:x]" }],
  // What many machines call themselves decides nothing (RFC 5321 4.1.4).
  ["EHLO my_machine", { verb: "EHLO", domain: "my_machine" }],
  // 788-X1, 53-21: verbs in whatever case.
  ["hElO a", { verb: "HELO", domain: "a" }],
  ["ehlo a", { verb: "EHLO", domain: "a" }],
  // 788-X3: one or more blanks.
  ["HELO   a.example", { verb: "HELO", domain: "a.example" }],
  // 53-16: white space before the line end.
  ["HELO a.example \t ", { verb: "HELO", domain: "a.example" }],
  ["MAIL FROM:<Smith@Alpha>", mail()],
  ["mail from:<Smith@Alpha>", mail()],
  ["MAIL  FROM:<Smith@Alpha>", mail()],
  ["MAIL FROM:<Smith@Alpha> \t", mail()],
  // 53-22, BUG-21: a blank that is not in the grammar but in common clients.
  ["MAIL FROM: <Smith@Alpha>", mail()],
  ["MAIL FROM:   <Smith@Alpha>", mail()],
  ["MAIL FROM:<>", mail(null)],
  ["MAIL FROM: <>", mail(null)],
  ["MAIL FROM:<@a,@b:Smith@Alpha>", mail()],
  ["MAIL FROM:<Smith@Alpha> SIZE=0", mail(ALPHA, { size: 0, extended: true })],
  ["MAIL FROM:<Smith@Alpha> SIZE=1024", mail(ALPHA, { size: 1024, extended: true })],
  ["MAIL FROM:<Smith@Alpha> size=007", mail(ALPHA, { size: 7, extended: true })],
  // RFC 1870 3: up to 20 digits.
  ["MAIL FROM:<> SIZE=99999999999999999999", mail(null, { size: 1e20, extended: true })],
  ["MAIL FROM:<Smith@Alpha> BODY=7BIT", mail(ALPHA, { extended: true })],
  ["MAIL FROM:<Smith@Alpha> BODY=8BITMIME", mail(ALPHA, { body: "8BITMIME", extended: true })],
  ["MAIL FROM:<Smith@Alpha> body=8bitMime", mail(ALPHA, { body: "8BITMIME", extended: true })],
  [
    "MAIL FROM:<Smith@Alpha>  BODY=8BITMIME   SIZE=5 ",
    mail(ALPHA, { size: 5, body: "8BITMIME", extended: true }),
  ],
  // BUG-14: what stands in quotes is no parameter.
  [
    'MAIL FROM:<"x> SIZE=9"@Alpha>',
    mail({ localPart: "x> SIZE=9", domain: "Alpha" }),
  ],
  ["RCPT TO:<jones@me.example>", rcpt("jones", "me.example")],
  ["RcPt tO:<jones@me.example>", rcpt("jones", "me.example")],
  ["RCPT TO: <jones@me.example>", rcpt("jones", "me.example")],
  ["RCPT TO:<PostMaster>", rcpt("PostMaster", "")],
  ["RCPT TO:<@a.example,@b.example:jones@me.example>", rcpt("jones", "me.example")],
  ["RCPT TO:<@AAA,@BBB,john@CCC>", rcpt("john", "CCC")],
  ["RCPT TO:<Joe\\,Smith@me>", rcpt("Joe,Smith", "me")],
  ["RCPT TO:<a@[::1]>  ", rcpt("a", "[IPv6:::1]")],
  ["DATA", { verb: "DATA" }],
  ["data", { verb: "DATA" }],
  ["DATA  \t", { verb: "DATA" }],
  ["RSET", { verb: "RSET" }],
  ["RSET \t", { verb: "RSET" }],
  ["NOOP", { verb: "NOOP" }],
  // 53-14: the argument is ignored.
  ["NOOP hello, are you there", { verb: "NOOP" }],
  ["QUIT", { verb: "QUIT" }],
  ["Quit ", { verb: "QUIT" }],
  ["VRFY jones", { verb: "VRFY" }],
  // 788-X14: free text.
  ["VRFY Jon Postel", { verb: "VRFY" }],
  ["VRFY <jones@me.example>", { verb: "VRFY" }],
  ["EXPN list", { verb: "EXPN" }],
];

for (const [line, command] of GOOD) {
  Deno.test(`command: ${JSON.stringify(line)}`, () => {
    assert.deepEqual(parseCommand(line), command);
  });
}

const BAD: readonly (readonly [line: string, reply: Reply])[] = [
  // 788-T13, 53-27.
  ["", replies.unknownCommand],
  ["   ", replies.unknownCommand],
  ["FOOO", replies.unknownCommand],
  ["XYZZY x", replies.unknownCommand],
  ["XCLIENT NAME=x", replies.unknownCommand],
  [" NOOP", replies.unknownCommand],
  ["NOOPX", replies.unknownCommand],
  ["MAILFROM:<a@b>", replies.unknownCommand],
  ["GET / HTTP/1.1", replies.unknownCommand],
  ["constructor", replies.unknownCommand],
  ["__proto__ x", replies.unknownCommand],
  // 788-T8, 53-33.
  ["SEND FROM:<a@b>", replies.notImplemented],
  ["SOML FROM:<a@b>", replies.notImplemented],
  ["saml FROM:<a@b>", replies.notImplemented],
  ["TURN", replies.notImplemented],
  // 788-X15, 53-15.
  ["DATA x", replies.noArgument],
  ["RSET x", replies.noArgument],
  ["QUIT now", replies.noArgument],
  ["VRFY", replies.missingArgument],
  ["VRFY  ", replies.missingArgument],
  ["EXPN", replies.missingArgument],
  ["HELO", replies.badHello],
  ["HELO ", replies.badHello],
  ["EHLO", replies.badHello],
  ["EHLO a b", replies.badHello],
  ["EHLO a..b", replies.badHello],
  ["EHLO -a", replies.badHello],
  ["EHLO #123", replies.badHello],
  ["EHLO a@b", replies.badHello],
  ["EHLO <a>", replies.badHello],
  ["EHLO [1.2.3.256]", replies.badHello],
  ["EHLO [IPv6:zz]", replies.badHello],
  ["EHLO [1.2.3.4", replies.badHello],
  [`EHLO ${"a.".repeat(128)}`, replies.badHello],
  ["MAIL", replies.badMail],
  ["MAIL FROM", replies.badMail],
  ["MAIL <a@b>", replies.badMail],
  ["MAIL TO:<a@b>", replies.badMail],
  ["MAIL FROM :<a@b>", replies.badMail],
  ["MAIL FROM:<a@b>x", replies.badMail],
  ["MAIL FROM:<a@b>SIZE=1", replies.badMail],
  ["MAIL FROM:<a@b> =1", replies.badMail],
  ["MAIL FROM:<a@b> SIZE=1=2", replies.badMail],
  ["MAIL FROM:<a@b> -X=1", replies.badMail],
  ["MAIL FROM:<a@b> <c@d>", replies.badMail],
  ["MAIL FROM:<>x", replies.badMail],
  ["MAIL FROM:bad", replies.badReversePath("the path must stand in < and >")],
  ["MAIL FROM:a@b", replies.badReversePath("the path must stand in < and >")],
  ["MAIL FROM:", replies.badReversePath("the path must stand in < and >")],
  ["MAIL FROM:<Postmaster>", replies.badReversePath("the address lacks its domain")],
  ["MAIL FROM:<a..b@x.y>", replies.badReversePath("bad local-part")],
  ["MAIL FROM:<a@b> SIZE", replies.badParameter("SIZE")],
  ["MAIL FROM:<a@b> SIZE=x", replies.badParameter("SIZE")],
  ["MAIL FROM:<a@b> SIZE=-1", replies.badParameter("SIZE")],
  ["MAIL FROM:<a@b> SIZE=1.5", replies.badParameter("SIZE")],
  ["MAIL FROM:<a@b> SIZE=0x10", replies.badParameter("SIZE")],
  ["MAIL FROM:<a@b> SIZE=100000000000000000000", replies.badParameter("SIZE")],
  ["MAIL FROM:<a@b> SIZE=1 SIZE=1", replies.badParameter("SIZE")],
  ["MAIL FROM:<a@b> BODY", replies.badParameter("BODY")],
  ["MAIL FROM:<a@b> BODY=FOO", replies.badParameter("BODY")],
  ["MAIL FROM:<a@b> BODY=7BIT BODY=7BIT", replies.badParameter("BODY")],
  // 53-17.
  ["MAIL FROM:<a@b> FOO=1", replies.unknownParameter],
  ["MAIL FROM:<a@b> FOO", replies.unknownParameter],
  ["MAIL FROM:<a@b> SIZE=1 FOO=1", replies.unknownParameter],
  ["RCPT", replies.badRcpt],
  ["RCPT FROM:<a@b>", replies.badRcpt],
  ["RCPT TO:<a@b>x", replies.badRcpt],
  ["RCPT TO:<a@b><c@d>", replies.badRcpt],
  ["RCPT TO:<a@b>,<c@d>", replies.badRcpt],
  ["RCPT TO:<a@b> FOO=1", replies.unknownParameter],
  ["RCPT TO:<>", replies.badForwardPath("bad local-part")],
  ["RCPT TO:postmaster", replies.badForwardPath("the path must stand in < and >")],
  ["RCPT TO:<jones>", replies.badForwardPath("the address lacks its domain")],
  ["RCPT TO:<no one>", replies.badForwardPath("the address lacks its domain")],
  ["HELP XYZZY", replies.noSuchHelp],
  ["HELP MAIL x", replies.noSuchHelp],
  // 53-18, 788-X6, BUG-28: octets that no command has.
  ["\xc0\xff", replies.notAscii],
  ["NOOP \xe9", replies.notAscii],
  ["RCPT TO:<\xffa@me.example>", replies.notAscii],
  ["HELO a\tb\x07", replies.badCharacter],
  ["NOOP\thello", replies.badCharacter],
  ["NOOP\r", replies.badCharacter],
  ["NOOP\nNOOP", replies.badCharacter],
  ["NOOP\rNOOP", replies.badCharacter],
  ["\x00", replies.badCharacter],
  ["NOOP \x7f", replies.badCharacter],
  ['RCPT TO:<"a\x00b"@me.example>', replies.badCharacter],
];

for (const [line, reply] of BAD) {
  Deno.test(`refused with ${reply.code}: ${JSON.stringify(line).slice(0, 70)}`, () => {
    assert.deepEqual(parseCommand(line), reply);
  });
}

Deno.test("no control character but HT at the end of a line is let through", () => {
  for (let code = 0; code < 256; code++) {
    if (code >= 32 && code < 127) continue;
    const inside = parseCommand(`NOOP a${String.fromCharCode(code)}b`);
    assert.ok("code" in inside && inside.code >= 500, `${code}`);
    const last = parseCommand(`NOOP${String.fromCharCode(code)}`);
    assert.equal("code" in last, code !== 9, `${code}`);
  }
});

Deno.test("a line has up to 512 octets with its CR LF (RFC 5321 4.5.3.1.4, 788-Z4)", () => {
  for (const verb of ["NOOP", "VRFY", "noop"]) {
    const fits = verb.padEnd(510, " x");
    assert.ok(!("code" in parseCommand(fits)), verb);
    assert.deepEqual(parseCommand(`${fits}x`), replies.lineTooLong, verb);
  }
  const path = `RCPT TO:${" ".repeat(492)}<jones@me>`;
  assert.equal(path.length, 510);
  assert.deepEqual(parseCommand(path), rcpt("jones", "me"));
  assert.deepEqual(parseCommand(`${path} `), replies.lineTooLong, "blanks at the end count");
  assert.deepEqual(parseCommand("X".repeat(511)), replies.lineTooLong);
  assert.deepEqual(parseCommand("X".repeat(510)), replies.unknownCommand);
});

Deno.test("MAIL has 43 octets more, 26 for SIZE and 17 for BODY (RFC 1870 3, RFC 6152 2)", () => {
  assert.equal(LONGEST_LINE, 555);
  const parameters = " SIZE=99999999999999999999 BODY=8BITMIME";
  const line = `MAIL FROM:${
    " ".repeat(553 - 10 - 13 - parameters.length)
  }<Smith@Alpha>${parameters}`;
  assert.equal(line.length, 553);
  assert.deepEqual(
    parseCommand(line),
    mail(ALPHA, { size: 1e20, body: "8BITMIME", extended: true }),
  );
  assert.deepEqual(parseCommand(`${line} `), replies.lineTooLong);
  assert.deepEqual(parseCommand(`mail${line.slice(4)} `), replies.lineTooLong);
});

Deno.test("HELP names every command, HELP with one of them its syntax (788-T12)", () => {
  const all = parseCommand("HELP");
  assert.ok("verb" in all && all.verb === "HELP");
  const verbs = all.lines[0]!.split(" ");
  for (const verb of ["HELO", "EHLO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT", "VRFY"]) {
    assert.ok(verbs.includes(verb), verb);
  }
  for (const verb of verbs) {
    const one = parseCommand(`help ${verb.toLowerCase()} `);
    assert.ok("verb" in one && one.verb === "HELP", verb);
    assert.equal(one.lines.length, 1);
    assert.match(one.lines[0]!, new RegExp(`^${verb}\\b`));
    const known = parseCommand(verb);
    assert.ok(!("code" in known) || known.code === 501, `${verb} is listed and not known`);
  }
});

const ALL = { startTls: true, auth: true };

/** Commands of extensions, where they are offered. */
const EXTENDED: readonly (readonly [line: string, outcome: Command | Reply])[] = [
  ["STARTTLS", { verb: "STARTTLS" }],
  ["startTLS \t", { verb: "STARTTLS" }],
  ["STARTTLS x", replies.noArgument],
  ["STARTTLSX", replies.unknownCommand],
  ["AUTH PLAIN", { verb: "AUTH", mechanism: "PLAIN", initialResponse: undefined }],
  ["auth login ", { verb: "AUTH", mechanism: "LOGIN", initialResponse: undefined }],
  ["AUTH  PLAIN   AGEAYg==  ", { verb: "AUTH", mechanism: "PLAIN", initialResponse: "AGEAYg==" }],
  ["AUTH PLAIN =", { verb: "AUTH", mechanism: "PLAIN", initialResponse: "=" }],
  ["AUTH PLAIN *", { verb: "AUTH", mechanism: "PLAIN", initialResponse: "*" }],
  ["AUTH", replies.badAuth],
  ["AUTH PLAIN AGEA Yg==", replies.badAuth],
  ["AUTH CRAM-MD5", replies.unknownMechanism],
  ["AUTH PLAINX", replies.unknownMechanism],
  ["AUTH PLAIN,LOGIN", replies.unknownMechanism],
  ["AUTH __proto__", replies.unknownMechanism],
  ["AUTH \xff", replies.notAscii],
  ["AUTH PLAIN \x00", replies.badCharacter],
  ["AUTH\tPLAIN", replies.badCharacter],
  // RFC 4954 5: read, and passed by.
  ["MAIL FROM:<Smith@Alpha> AUTH=<>", mail(ALPHA, { extended: true })],
  ["MAIL FROM:<Smith@Alpha> auth=e+3Dmc2@example.com", mail(ALPHA, { extended: true })],
  ["MAIL FROM:<Smith@Alpha> AUTH=a+2Bb SIZE=5", mail(ALPHA, { size: 5, extended: true })],
  ["MAIL FROM:<a@b> AUTH", replies.badParameter("AUTH")],
  ["MAIL FROM:<a@b> AUTH=", replies.badMail],
  ["MAIL FROM:<a@b> AUTH=<a@b>x=y", replies.badMail],
  ["MAIL FROM:<a@b> AUTH=a+b", replies.badParameter("AUTH")],
  ["MAIL FROM:<a@b> AUTH=a+3d", replies.badParameter("AUTH")],
  ["MAIL FROM:<a@b> AUTH=a+", replies.badParameter("AUTH")],
  ["MAIL FROM:<a@b> AUTH=<> AUTH=<>", replies.badParameter("AUTH")],
  ["MAIL FROM:<a@b> AUTH=<> X=1", replies.unknownParameter],
  ["RCPT TO:<a@b> AUTH=<>", replies.unknownParameter],
];

for (const [line, outcome] of EXTENDED) {
  Deno.test(`extended: ${JSON.stringify(line)}`, () => {
    assert.deepEqual(parseCommand(line, ALL), outcome);
  });
}

Deno.test("what is known but not offered is 502, whatever its argument (RFC 5321 4.2.4)", () => {
  for (const line of ["STARTTLS", "STARTTLS x"]) {
    assert.deepEqual(parseCommand(line), replies.notImplemented);
    assert.deepEqual(parseCommand(line, { ...ALL, startTls: false }), replies.notImplemented);
  }
  for (const line of ["AUTH", "AUTH PLAIN AGEAYg==", "AUTH FOO"]) {
    assert.deepEqual(parseCommand(line), replies.notImplemented);
    assert.deepEqual(parseCommand(line, { ...ALL, auth: false }), replies.notImplemented);
  }
  assert.deepEqual(
    parseCommand("MAIL FROM:<a@b> AUTH=<>", { ...ALL, auth: false }),
    replies.unknownParameter,
  );
});

Deno.test("AUTH has 12288 octets with its CR LF, all else what it had (RFC 4954 4)", () => {
  assert.equal(LONGEST_LINE_WITH_AUTH, 12_288);
  const fits = `AUTH PLAIN ${"A".repeat(12_275)}`;
  const parsed = parseCommand(fits, ALL);
  assert.ok("verb" in parsed && parsed.verb === "AUTH");
  assert.equal(parsed.initialResponse?.length, 12_275);
  assert.deepEqual(parseCommand(`${fits}A`, ALL), replies.lineTooLong);
  assert.deepEqual(parseCommand(`${fits} `, ALL), replies.lineTooLong);
  for (const verb of ["NOOP", "VRFY", "STARTTLS", "AUTHX"]) {
    assert.deepEqual(parseCommand(verb.padEnd(511, " x"), ALL), replies.lineTooLong, verb);
  }
  assert.deepEqual(parseCommand(`AUTH ${"A".repeat(506)}`), replies.lineTooLong, "not offered");
});

Deno.test("MAIL has 500 octets more where a login is offered (RFC 4954 3)", () => {
  const line = `MAIL FROM:<Smith@Alpha> AUTH=${"a".repeat(1053 - 29)}`;
  assert.equal(line.length, 1053);
  assert.deepEqual(parseCommand(line, ALL), mail(ALPHA, { extended: true }));
  assert.deepEqual(parseCommand(`${line}a`, ALL), replies.lineTooLong);
  assert.deepEqual(parseCommand(line), replies.lineTooLong);
});

Deno.test("HELP names what is offered and nothing else", () => {
  for (const verb of ["STARTTLS", "AUTH"]) {
    const offered = parseCommand("HELP", ALL);
    assert.ok("verb" in offered && offered.verb === "HELP");
    assert.ok(offered.lines[0]!.split(" ").includes(verb));
    assert.ok("verb" in parseCommand(`HELP ${verb}`, ALL));
    const other = parseCommand("HELP");
    assert.ok("verb" in other && other.verb === "HELP");
    assert.ok(!other.lines[0]!.split(" ").includes(verb));
    assert.deepEqual(parseCommand(`HELP ${verb}`), replies.noSuchHelp);
  }
});

Deno.test("verbs are those of commands, offered or not, in upper case", () => {
  for (const word of ["MAIL", "STARTTLS", "AUTH", "TURN", "SEND"]) assert.ok(isVerb(word), word);
  for (const word of ["", "mail", "XYZZY", "BDAT", "constructor", "__proto__"]) {
    assert.ok(!isVerb(word), word);
  }
});
