/** What every program that sends under TLS is put to, at each service that it can use. */

import assert from "node:assert/strict";
import type { Service } from "../../src/config/service.ts";
import { makeAuthority } from "../support/authority.ts";
import { type Daemon, readMailbox } from "../support/daemon.ts";
import { makeFolder } from "../support/folder.ts";
import { namesIn } from "../support/names_in.ts";
import { missing, type Program, skippable } from "../support/programs.ts";
import { HOST, PASSWORD, SERVICES, startSecuredDaemon } from "../support/secured_daemon.ts";
import { until } from "../support/until.ts";
import { assertSameBytes, part } from "./maildir.ts";

/** One message to send, and by which way. */
export interface SecuredMail {
  readonly service: Service;
  readonly port: number;
  /** The path of the one authority's certificate that the program is to trust. */
  readonly authorityFile: string;
  /** Undefined where nobody logs in. */
  readonly login?: { readonly name: string; readonly password: string };
  readonly from: string;
  readonly to: readonly string[];
  /** Line ends are CR LF. */
  readonly text: Uint8Array<ArrayBuffer>;
}

/** A program that sends mail under TLS. */
export interface SecuredPeer {
  readonly name: string;
  readonly needs: readonly Program[];
  /** Why the program cannot do TLS on this machine. */
  readonly cannot?: string | undefined;
  /**
   * Sends one message as `client.example` to `localhost` and resolves with what the program says of
   * the conversation. Rejects, with the same in the error, where the program fails.
   */
  send(mail: SecuredMail): Promise<string>;
  /** What the program says of a conversation that went well. */
  readonly shows: readonly RegExp[];
  /** What it says besides where it has logged in. */
  readonly showsLogin?: readonly RegExp[];
  /** What it says of a certificate of somebody else's authority. */
  readonly untrusted: RegExp;
  /** Whether the message is made by the program itself out of the body. */
  readonly composes?: boolean;
}

const BODY = "What is sent must be what is stored.\n.\n..two\nGr\xfc\xdfe\n\n.\nend\n";
/** The fields that a message of a user must have, so that nothing is added. */
const HEADER = "From: Jones <jones@mx.test>\nTo: friends:;\nSubject: secured\n" +
  "Date: Sun, 22 Nov 2026 15:04:05 +0000\nMessage-ID: <1@client.example>\n\n";
const ABROAD = "mary@elsewhere.test";
/** What every program shows of a refusal, whatever stands between code and status. */
const NOT_PERMITTED = /\b550\W{1,4}5\.7\.1 /;
const NOT_LOGGED_IN = /\b535\W{1,4}5\.7\.8 /;
/** RFC 3848 */
const PROTOCOLS = { smtp: "ESMTPS", submission: "ESMTPSA", submissions: "ESMTPSA" };
/** What TLS 1.3 and every client here agree on. */
const COMMENT = /^ \(TLSv1\.3 TLS_[A-Z0-9_]+\) id \w+/;

/** One test for a peer with a daemon of its own, and steps for each service. */
export function testSecuredPeer(peer: SecuredPeer): void {
  Deno.test({
    ...skippable(
      `${peer.name} sends under TLS`,
      missing([...peer.needs, "openssl"]) ?? peer.cannot,
    ),
    fn: async (t) => {
      await using daemon = await startSecuredDaemon();
      await using folder = await makeFolder();
      const stranger = `${folder.path}/authority.crt`;
      {
        await using authority = await makeAuthority();
        await Deno.writeTextFile(stranger, authority.certificate);
      }
      const mailTo = (service: Service): SecuredMail => ({
        service,
        port: daemon.portFor(service),
        authorityFile: daemon.authorityFile,
        ...service === "smtp" ? {} : {
          // With its domain and without, both are the user.
          login: { name: service === "submission" ? "jones" : `jones@${HOST}`, password: PASSWORD },
        },
        from: "jones@mx.test",
        to: service === "smtp" ? ["smith@mx.test"] : ["smith@mx.test", ABROAD],
        text: onTheWire(HEADER + BODY),
      });

      for (const [i, service] of SERVICES.entries()) {
        const mail = mailTo(service);
        const port = `the ${service} port`;

        await t.step(`to ${port}`, async () => {
          const words = await peer.send(mail);
          for (const one of peer.shows) assert.match(words, one);
          if (mail.login) { for (const one of peer.showsLogin ?? []) assert.match(words, one); }
          await assertStored(daemon, { peer, service, count: i + 1 });
        });

        await t.step(`and learns at ${port} what nobody may`, async () => {
          if (!mail.login) {
            await assert.rejects(peer.send({ ...mail, to: [ABROAD] }), NOT_PERMITTED);
            return;
          }
          await assert.rejects(peer.send({ ...mail, from: "smith@mx.test" }), NOT_PERMITTED);
          if (peer.composes) return;
          const text = onTheWire(HEADER.replace("jones@", "smith@") + BODY);
          await assert.rejects(peer.send({ ...mail, text }), NOT_PERMITTED);
        });
      }

      // At a time, for a program that takes its time to complain.
      await t.step("and does not trust a stranger's certificate", async () => {
        await Promise.all(SERVICES.map((service) => {
          const mail = { ...mailTo(service), authorityFile: stranger };
          return assert.rejects(peer.send(mail), peer.untrusted);
        }));
      });

      // Last, as who has failed waits; the same wrong password again is answered at once.
      await t.step("and learns that a password is wrong", async () => {
        const login = { name: "jones", password: "guessed" };
        await Promise.all(
          SERVICES.slice(1).map((service) => {
            return assert.rejects(peer.send({ ...mailTo(service), login }), NOT_LOGGED_IN);
          }),
        );
      });

      assert.equal((await readMailbox(`${daemon.folder}/mail/smith`)).length, SERVICES.length);
      assert.equal((await queued(daemon)).length, SERVICES.length - 1);
      await until("the end of every connection", () => {
        const count = (text: string) => daemon.log().split(text).length;
        return count(" connection accepted ") === count(" connection closed ");
      }, 5000);
      assert.doesNotMatch(daemon.log(), / error |clear text discarded|timed out/);
    },
  });
}

/** What smith has got last, and what waits for abroad, is what was sent. */
async function assertStored(
  daemon: Daemon,
  { peer, service, count }: { peer: SecuredPeer; service: Service; count: number },
): Promise<void> {
  const messages = await readMailbox(`${daemon.folder}/mail/smith`);
  assert.equal(messages.length, count);
  const { returnPath, received, text } = part(messages.at(-1)!.bytes);
  assert.equal(returnPath, "<jones@mx.test>");
  assertReceived(received, service);
  if (peer.composes) {
    assertSameBytes(text.subarray(text.length - BODY.length), octets(BODY));
  } else assertSameBytes(text, octets(HEADER + BODY));
  if (service === "smtp") return;

  const waiting = await queued(daemon);
  assert.equal(waiting.length, count - 1);
  const [, trace = "", rest = ""] = /^(Received: .*\r\n(?:\t.*\r\n)+)([^]*)$/
    .exec(characters(waiting.at(-1)!)) ?? [];
  assertReceived(trace.slice("Received: ".length).replaceAll("\r\n\t", " "), service);
  assertSameBytes(octets(rest), octets(characters(text).replaceAll("\n", "\r\n")));
}

function assertReceived(received: string, service: Service): void {
  const origin = `from client.example ([127.0.0.1]) by ${HOST} with ${PROTOCOLS[service]}`;
  assert.equal(received.slice(0, origin.length), origin);
  assert.match(received.slice(origin.length), COMMENT);
}

/** The texts that wait, oldest first. Behind each stands its envelope, and last how long that is. */
async function queued({ folder }: Daemon): Promise<Uint8Array[]> {
  const names = (await namesIn(`${folder}/spool/queue`)).filter((name) => name.endsWith(".eml"));
  return await Promise.all(
    names.sort().map(async (name) => {
      const file = await Deno.readFile(`${folder}/spool/queue/${name}`);
      const [last = "", length] = /\}\n( *(\d+)\n)$/.exec(characters(file))?.slice(1) ?? [];
      return file.subarray(0, file.length - last.length - Number(length));
    }),
  );
}

/** Each character is one octet; LF becomes CR LF. */
function onTheWire(text: string): Uint8Array<ArrayBuffer> {
  return octets(text.replaceAll("\n", "\r\n"));
}

function octets(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function characters(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => String.fromCharCode(octet)).join("");
}
