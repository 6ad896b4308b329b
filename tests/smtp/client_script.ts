/** Servers that follow a script, and a client that must answer them as the script says. */

import assert from "node:assert/strict";
import type { Mailbox } from "../../src/smtp/address.ts";
import { type ClientEvent, ClientSession, type Envelope } from "../../src/smtp/client.ts";

export const bytes = (text: string) =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

export const JONES = { localPart: "jones", domain: "x.y" };
export const SMITH = { localPart: "smith", domain: "x.y" };
export const GREEN = { localPart: "green", domain: "x.y" };

export const ENVELOPE: Envelope = {
  reversePath: { localPart: "fred", domain: "me.example" },
  forwardPaths: [JONES],
  size: 1234,
  eightBit: false,
};

/** What the server says, and what the client must say to it; `(text)` and `(tls)` are what it does. */
export type Script = readonly (readonly [reply: string, answer: string])[];

interface Play {
  /** The transactions, each given as far as it differs from ENVELOPE. */
  readonly envelopes?: readonly Partial<Envelope>[];
  readonly wantsTls?: boolean;
  /** How the server's replies are cut. */
  readonly cut?: (reply: string) => string[];
}

/**
 * Plays a script: one transaction after another as soon as one can begin, and QUIT at the end.
 * Returns a line for each recipient with what became of it, and one for a server that refuses to talk.
 */
export function play(
  script: Script,
  { envelopes = [{}], wantsTls = false, cut }: Play = {},
): string[] {
  const session = new ClientSession({ host: "me.example", wantsTls });
  const told: string[] = [];
  const left = [...envelopes];
  let closed = false;
  const act = (event: ClientEvent): string => {
    switch (event.kind) {
      case "text":
        session.textSent();
        return "(text)";
      case "starttls":
        session.secured();
        return "(tls)";
      case "refused":
        told.push(`refused ${event.reply.code}`);
        break;
      case "results":
        told.push(...event.results.map(({ forwardPath, reply, heard }) => {
          const who = heard ? forwardPath.localPart : `(own) ${forwardPath.localPart}`;
          return `${who} ${reply.code} ${reply.status} ${reply.lines.join("/")}`;
        }));
        told.push(...event.remaining.map(({ localPart }) => `${localPart} remains`));
        break;
      case "closed":
        closed = true;
    }
    if (session.over) closed = true;
    else if (session.usable && left.length > 0) session.begin({ ...ENVELOPE, ...left.shift() });
    else session.quit();
    return "";
  };
  for (const [reply, answer] of script) {
    assert.equal(closed, false, `closed before ${JSON.stringify(reply)}`);
    let said = "";
    for (const piece of cut?.(reply) ?? [reply]) {
      session.feed(bytes(piece));
      for (let event = session.next(); event; event = session.next()) said += act(event);
      said += session.takeOutput();
    }
    assert.equal(said.replace(/\r\n$/, ""), answer, `after ${JSON.stringify(reply)}`);
  }
  assert.equal(closed, true, "not closed");
  assert.deepEqual(left, [], "transactions left");
  return told;
}

export const THREE = { forwardPaths: [JONES, GREEN, SMITH] as readonly Mailbox[] };

export const EHLO = ["220 x.y ESMTP\r\n", "EHLO me.example"] as const;
export const MAIL = [
  "250-x.y\r\n250 SIZE 5000\r\n",
  "MAIL FROM:<fred@me.example> SIZE=1234",
] as const;
export const OK = "250 OK\r\n";
export const QUIT = [OK, "QUIT"] as const;
export const BYE = ["221 bye\r\n", ""] as const;

export const SUCCESS: Script = [
  EHLO,
  MAIL,
  ["250 2.1.0 OK\r\n", "RCPT TO:<jones@x.y>"],
  ["250 2.1.5 OK\r\n", "DATA"],
  ["354 go\r\n", "(text)"],
  ["250 2.0.0 taken as 42\r\n", "QUIT"],
  BYE,
];

/** A script whose MAIL is refused, to look at MAIL alone. */
export function mail(offered: string, line: string): Script {
  return [EHLO, [offered, line], ["550 no\r\n", "QUIT"], BYE];
}

export const OFFERS_PIPELINING = "250-x.y\r\n250 PIPELINING\r\n";

/** A session that has heard these replies; at `(text)` the text is sent, at `(begin)` a transaction begun. */
export function heard(replies: readonly string[], wantsTls = false): ClientSession {
  const session = new ClientSession({ host: "me.example", wantsTls });
  for (const reply of replies) {
    if (reply === "(text)") session.textSent();
    else if (reply === "(begin)") session.begin({ ...ENVELOPE, ...THREE });
    else {
      session.feed(bytes(reply));
      session.next();
    }
    session.takeOutput();
  }
  return session;
}
