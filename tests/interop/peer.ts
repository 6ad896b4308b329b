/** What every sending program is put to: the same messages, sent by it and read back by Python. */

import assert from "node:assert/strict";
import { type Daemon, readMailbox, startDaemon } from "../support/daemon.ts";
import { assertSameBytes, part, readWithPython } from "./maildir.ts";
import { hasIpv6, missing, type Program, skippable } from "../support/programs.ts";

/** One message to send, and by which way. */
export interface Mail {
  readonly host: string;
  readonly port: number;
  /** "" is the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  /** Line ends are CR LF. */
  readonly text: Uint8Array<ArrayBuffer>;
}

/** A program that sends mail. */
export interface Peer {
  readonly name: string;
  readonly needs: readonly Program[];
  /** What the Received field must say: "with ESMTP" after EHLO, "with SMTP" after HELO. */
  readonly protocol: "SMTP" | "ESMTP";
  /** What the program itself puts below every text. */
  readonly adds?: string;
  /** Cases that the program itself cannot send, each with the reason. */
  readonly cannot?: Readonly<Partial<Record<CaseName, string>>>;
  /** Sends one message as `client.example`. Rejects where the program fails. */
  send(mail: Mail): Promise<void>;
}

interface Case {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly host?: string;
  /** Line ends are LF; each character is one octet. */
  readonly text: string;
}

const HEADER = "From: Mary <mary@client.example>\nTo: friends:;\nSubject: interop\n" +
  "Date: Sun, 22 Nov 2026 15:04:05 +0000\nMessage-ID: <1@client.example>\n\n";
const HIGH_OCTETS = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i));
const BODY = "What is sent must be what is stored.\nNothing more.\n";

const CASES = {
  "a plain message": { text: HEADER + BODY },
  "lines that begin with periods": {
    text: HEADER + ".\n..\n...\n.one\n..two\nnone.\n. \n\n.\n.\nend\n",
  },
  "a text that begins with a period": {
    // The end of the DATA line begins the first line too (RFC 5321 4.1.1.4).
    text: ".X-First: line\n" + HEADER + BODY,
  },
  "8-bit octets": { text: `${HEADER}Grüße\n${HIGH_OCTETS}\nTwice: ${HIGH_OCTETS}\n` },
  "lines of 5,000 characters": {
    // RFC 5321 4.5.3.1.6 asks for 1,000; the daemon sets no limit.
    text: HEADER + "x".repeat(5000) + "\n." + "y".repeat(4999) + "\nshort\n",
  },
  "an empty body": { text: HEADER },
  "two recipients": { to: ["2pair@me.example", "pair@me.example"], text: HEADER + BODY },
  "a null reverse-path": { from: "", text: HEADER + BODY },
  "a quoted local-part": {
    from: '"mary the \\"first\\""@client.example',
    to: ['"joe smith"@me.example'],
    text: HEADER + BODY,
  },
  "over IPv6": { host: "::1", text: HEADER + BODY },
  "to an IPv6 address literal": {
    host: "::1",
    to: ["literal@[IPv6:::1]"],
    text: HEADER + BODY,
  },
} satisfies Record<string, Case>;

export type CaseName = keyof typeof CASES;

/** One test for a peer, one step for each case, each case with mailboxes of its own. */
export function testPeer(peer: Peer): void {
  // Without Python there is nobody to read the mail back.
  const reason = missing([...peer.needs, "python3"]);
  Deno.test({
    ...skippable(`${peer.name} sends`, reason),
    fn: async (t) => {
      const noIpv6 = hasIpv6() ? undefined : "no ::1 on this machine";
      const cases = Object.entries<Case>(CASES).map(([name, one], i) => {
        return { name, to: [`user${i}@me.example`], ...one };
      });
      const users = cases.flatMap(({ to }) => to).map(userOf);
      await using daemon = await startDaemon({
        mail: noIpv6 ? "" : "LISTEN_ADDR = 127.0.0.1, ::1",
        users: users.map((name) => `${name}:mail/${name}\n`).join(""),
      });
      const sentTo: string[] = [];
      for (const { name, ...one } of cases) {
        const cannot = peer.cannot?.[name as CaseName] ?? (one.host === "::1" ? noIpv6 : undefined);
        await t.step({
          ...skippable(name, cannot),
          fn: async () => {
            sentTo.push(...one.to.map(userOf));
            await sendAndRead(peer, daemon, one);
          },
        });
      }
      assert.doesNotMatch(daemon.log(), / (warn|error) |command refused|connection lost|timed out/);
      await t.step("and learns that a user does not exist", async () => {
        const [from, to] = ["mary@client.example", ["nobody@me.example"]];
        const { port } = daemon;
        const text = octets("Subject: lost\r\n\r\n");
        await assert.rejects(peer.send({ host: "127.0.0.1", port, from, to, text }), /550/);
      });
      for (const name of users) {
        const stored = await readMailbox(`${daemon.folder}/mail/${name}`);
        assert.equal(stored.length, sentTo.includes(name) ? 1 : 0, `messages for ${name}`);
      }
    },
  });
}

/** Sends one message and compares what each recipient has with it. */
async function sendAndRead(
  peer: Peer,
  daemon: Daemon,
  { from = "mary@client.example", to, host = "127.0.0.1", text }: Case & { to: readonly string[] },
): Promise<void> {
  const onTheWire = octets(text.replaceAll("\n", "\r\n"));
  await peer.send({ host, port: daemon.portOn(host), from, to, text: onTheWire });

  for (const name of to.map(userOf)) {
    const [message, ...others] = await readWithPython(`${daemon.folder}/mail/${name}`);
    assert(message && others.length === 0, `${name} has one message`);
    assert.equal(message.folder, "new");
    assert.equal(message.flags, "");
    const parted = part(message.bytes);
    assert.equal(parted.returnPath, `<${from}>`);
    const literal = host === "::1" ? "[IPv6:::1]" : "[127.0.0.1]";
    const origin = `from client.example (${literal}) by me.example with ${peer.protocol} id `;
    assert.equal(parted.received.slice(0, origin.length), origin);
    assertSameBytes(parted.text, octets(text + (peer.adds ?? "")));
  }
}

/** The name in user.conf for an address. */
function userOf(address: string): string {
  return address.slice(0, address.lastIndexOf("@")).replace(/^"(.*)"$/, "$1");
}

function octets(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
