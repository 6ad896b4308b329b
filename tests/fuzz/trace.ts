/** The fields that are put on top of a message, with whatever a client called itself in them. */

import assert from "node:assert/strict";
import { parseCommand } from "../../src/smtp/command.ts";
import { receivedField, returnPathField } from "../../src/smtp/trace.ts";
import * as grammar from "./grammar.ts";
import { characters, octets } from "./octets.ts";
import type { Target } from "./target.ts";

/** The text is these fields, each one field, however a reader may fold and cut them. */
export function checkFields(text: string, names: readonly string[]): void {
  assert.match(text, /^(?:[ -~\t]*\r\n)+$/);
  const lines = text.slice(0, -2).split("\r\n");
  for (const line of lines) {
    assert.ok(line.length <= 998, "RFC 5322 2.1.1");
    assert.match(line, /[^ \t]/, "no line is blank");
  }
  const begun = lines.filter((line) => !/^[ \t]/.test(line));
  assert.deepEqual(begun.map((line) => /^([!-9;-~]+):/.exec(line)?.[1]), names);
}

const RECEIVED = new RegExp(
  /^Received: from ([!-~]+) \((\[[0-9a-fA-FIPv.:]+\]|\[unknown\])\) by me\.example/.source +
    / with (E?SMTP|ESMTPSA?)(?: \(TLSv1\.[23] [A-Za-z0-9_-]+\))? id 1m828dtfh00fgn1(?: for (<[ -~]+>))?; /
      .source +
    /(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] \d{4,6} \d\d:\d\d:\d\d \+0000\r\n$/
      .source,
);

/** A line each: EHLO, the reverse-path, the forward-path, the peer. */
export const trace: Target = {
  name: "trace",
  runs: 15_000,
  words: ["\n", "EHLO ", "[", "]", ";", "(", ")", "\t"],
  reaches: { written: 0.3, for: 0.1, unknown: 0.05 },
  generate(random) {
    const peer = random.chance(0.5) ? "::ffff:192.0.2.1" : grammar.ip(random);
    const hello = `EHLO ${random.chance(0.5) ? "[192.0.2.1]" : grammar.domain(random)}`;
    const mail = `MAIL FROM:${grammar.easyPath(random)}`;
    return octets([hello, mail, `RCPT TO:${grammar.easyPath(random)}`, peer].join("\n"));
  },
  run(random, input) {
    const [first = "", second = "", third = "", peer = ""] = characters(input).split("\n");
    const [hello, mail, rcpt] = [first, second, third].map((line) => parseCommand(line));
    if (!hello || !("domain" in hello)) return [];
    const reversePath = mail && "reversePath" in mail ? mail.reversePath : null;
    const forwardPaths = rcpt && "forwardPath" in rcpt ? [rcpt.forwardPath] : [];
    checkFields(returnPathField(reversePath), ["Return-Path"]);
    const tls = { protocol: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };
    const field = receivedField({
      transaction: {
        client: hello.domain,
        protocol: random.pick(["SMTP", "ESMTP", "ESMTPS", "ESMTPSA"]),
        forwardPaths,
      },
      peer,
      tls: random.chance(0.5) ? tls : undefined,
      host: "me.example",
      id: "1m828dtfh00fgn1",
      time: random.pick([0, Date.UTC(2026, 10, 22), Date.UTC(9999, 11, 31)]),
    });
    checkFields(field, ["Received"]);
    const read = RECEIVED.exec(field.replace(/\r\n[ \t]/g, " "));
    assert.equal(read?.[1], hello.domain, field);
    const outcomes = ["written"];
    if (read?.[2] === "[unknown]") outcomes.push("unknown");
    if (read?.[4]) outcomes.push("for");
    return outcomes;
  },
};
