/** Logs, the queue's lists and replies hold what strangers said as text, and nothing that acts. */

import assert from "node:assert/strict";
import { readMailbox } from "../support/daemon.ts";
import { type MailHost, type Peer, startMailHost } from "../support/mail_host.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import type { Table } from "../support/name_server.ts";
import { missing, skippable } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";
import { securedClient } from "../support/secured_client.ts";
import { HOST, type SecuredDaemon, startSecuredDaemon } from "../support/secured_daemon.ts";
import { submit } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { queue, waitingIn } from "../support/waiting.ts";
import { assertInert, assertSound, HOSTILE, octets } from "./hostile.ts";

/** Says each line on a connection of its own, and wants the replies to be inert, and none of it in them. */
async function sayEach(port: number, lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const client = await RawClient.connect(port);
    try {
      await client.reply();
      await client.send(octets(`EHLO client.example\r\n${line}\r\nQUIT\r\n`));
      await client.closeWrite();
      for (let reply = await client.reply(); reply !== null; reply = await client.reply()) {
        assert.match(reply, /^[ -~\n]+$/);
        assert.doesNotMatch(reply, /mine|forged|2J/);
      }
    } finally {
      client.close();
    }
  }
}

const COMMANDS = HOSTILE.flatMap((hostile) => [
  hostile,
  `${hostile} x`,
  `EHLO ${hostile}`,
  `EHLO [x:${hostile}]`,
  `MAIL FROM:<${hostile}@far.example>`,
  `MAIL FROM:<"${hostile}"@far.example>`,
  `MAIL FROM:<a@${hostile}>`,
  `MAIL FROM:<a@b.example> SIZE=${hostile}`,
  `MAIL FROM:<a@b.example> ${hostile}=1`,
  `MAIL FROM:<a@b.example>\r\nRCPT TO:<"${hostile}"@${HOST}>`,
  `MAIL FROM:<a@b.example>\r\nRCPT TO:<"${hostile}"@far.example>\r\nRCPT TO:<@${hostile}:a@b.example>`,
  `VRFY ${hostile}`,
  `HELP ${hostile}`,
  `GET /${hostile} HTTP/1.1`,
  `AUTH PLAIN ${hostile}`,
  // TLS that is none.
  `STARTTLS\r\n${hostile}`,
]);

/** A name in every way there is to say it. After each failure the next one takes longer, so it is all in one. */
async function logIn(daemon: SecuredDaemon): Promise<void> {
  const base64 = (text: string) => octets(text).toBase64();
  const names = HOSTILE.filter((hostile) => !hostile.includes("\0")).map((one) => one.slice(0, 6));
  const client = await securedClient(daemon, "submissions");
  try {
    for (
      const lines of [
        ...HOSTILE.slice(0, 4).map((hostile) => [`AUTH ${hostile}`]),
        [`AUTH PLAIN ${base64(`\0${names.slice(0, 8).join("")}\0secret`)}`],
        ["AUTH LOGIN", base64(names.slice(8).join("")), base64("secret")],
      ]
    ) {
      let reply: string | null = null;
      for (const line of lines) {
        await client.send(octets(`${line}\r\n`));
        reply = await client.reply();
        assert.match(reply ?? "", /^[ -~]+$/);
      }
      assert.match(reply!, /^5/);
    }
  } finally {
    client.close();
  }
}

/** Octets where TLS should begin. */
async function garble(port: number): Promise<void> {
  for (const hostile of HOSTILE) {
    const client = await RawClient.connect(port);
    await client.send(octets(`\x16\x03\x01\x00\x05${hostile}${hostile}\r\n`));
    await client.closeWrite();
    // An alert, and the end.
    await client.silent(5000).catch(() => {});
    client.close();
  }
}

/** A server that says this once a command of that verb has come, or for a greeting. */
function fails(verb: string, words: string): (peer: Peer) => Promise<void> {
  return async (peer) => {
    if (verb === "") return await peer.say(words);
    await peer.say("220 nasty.test ESMTP\r\n");
    for (;;) {
      const command = await peer.hear();
      if (command.startsWith(verb)) await peer.say(words);
      else if (command === "QUIT") return await peer.say("221 Bye\r\n");
      else if (command === "DATA") {
        await peer.say("354 Go on\r\n");
        await peer.hear("\r\n.\r\n");
        return await peer.say(words);
      } else await peer.say("250-nasty.test\r\n250 8BITMIME\r\n");
    }
  };
}

const SERVERS = HOSTILE.flatMap((hostile, i) => [
  fails("RCPT", `550-5.1.1 ${hostile}\r\n550 5.1.1 ${hostile}\r\n`),
  fails("", `421 4.3.0 ${hostile}\r\n`),
  fails("", `${hostile}\r\n`),
  fails(["EHLO", "MAIL", "RCPT", "no such"][i % 4]!, `451-4.3.0 ${hostile}\r\n451 ${hostile}\r\n`),
]);

/** Domains whose records are as hostile. */
const RECORDS: Table = Object.fromEntries(
  HOSTILE.flatMap((hostile, i) => {
    const text = new TextDecoder().decode(octets(hostile)).replaceAll(".", "");
    return [
      [`mx${i}.test`, { MX: [[10, `${text}.test`]] }],
      [`cname${i}.test`, { CNAME: `${text}.test` }],
      [`_mta-sts.s${i}.test`, { TXT: [`v=STSv1; id=${hostile}`, `v=STSv1;${hostile}`] }],
    ] as const;
  }),
);

for (const format of ["text", "json"] as const) {
  Deno.test({
    ...skippable(
      `whatever strangers say, the log in ${format} is one line for each event (BUG-29)`,
      missing(["openssl"]),
    ),
    fn: async (t) => {
      const addresses = SERVERS.map((_, i) => `127.0.1.${i + 1}`);
      const domains = Object.fromEntries(addresses.map((one, i) => [`s${i}.test`, one]));
      await using network = await startMailNetwork(domains, RECORDS);
      const { port } = network;
      await using hosts = new AsyncDisposableStack();
      for (const [i, serve] of SERVERS.entries()) {
        const host: MailHost = startMailHost({ hostname: addresses[i]!, port }, serve);
        hosts.use(host);
      }
      await using daemon = await startSecuredDaemon({
        mail:
          `${network.mail}LOG_FORMAT = ${format}\nLOG_LEVEL = debug\nRELAY_FROM = 127.0.0.0/8\n`,
      });
      // What differs is how a value is written, not where it comes from.
      const some = COMMANDS.filter((_, i) => format === "text" || i % 5 === 0);
      await sayEach(daemon.port, some);
      await logIn(daemon);
      await garble(daemon.portFor("submissions"));
      const to = [...Object.keys(domains), ...Object.keys(RECORDS)]
        .filter((name) => !name.startsWith("_")).map((domain) => `"a b"@${domain}`);
      const header = HOSTILE.map((hostile, i) => `X-${i}: ${hostile.replace(/[\r\n]/g, "")}\r\n`);
      const id = await submit(daemon.port, {
        from: `jones@${HOST}`,
        to,
        text: `Subject: Hi\r\n${header.join("")}\r\nHello\r\n`,
      });
      // Some are hopeless at once, and then jones hears of it.
      await until("everything was tried", async () => {
        const all = (await waitingIn(daemon)).find((one) => one.id === id)?.recipients ?? [];
        return all.every(({ attempts, reply }) => attempts > 0 && reply !== undefined);
      });

      await t.step("queue list and show", async () => {
        const list = await queue(daemon, "list");
        const show = await queue(daemon, "show", id);
        const json = await queue(daemon, "list", "--json");
        for (const { code, out, err } of [list, show, json]) {
          assert.deepEqual([code, err], [0, ""]);
          assertInert(out.replaceAll("\t", " "));
        }
        assert.match(show.out, /it said: 451/);
      });
      await t.step("reports", async () => {
        const messages = await until("a report", async () => {
          const all = await readMailbox(`${daemon.folder}/mail/jones`);
          return all.length > 0 && all;
        });
        for (const { bytes } of messages) {
          assertInert(new TextDecoder().decode(bytes).replaceAll("\t", " "));
        }
      });
      assert.equal((await daemon.stop()).code, 0);
      assertSound(daemon.log(), format);
      // It was not the silence of a log that is off.
      for (
        const event of ["command refused", "login failed", "handshake failed", "message deferred"]
      ) {
        assert(daemon.log().includes(event), event);
      }
      assert.doesNotMatch(daemon.log(), /internal error|connection failed/);
    },
  });
}
