/**
 * What comes in plain text behind STARTTLS, whoever has put it there, is never obeyed under TLS
 * (RFC 3207 4.2, BUG-7), and what was said before the handshake is forgotten (BUG-9).
 */

import assert from "node:assert/strict";
import * as tls from "node:tls";
import type { Service } from "../../src/config/service.ts";
import { type Bytes, ByteStream } from "../../src/tls/stream.ts";
import { readMailbox } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { testWith } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";
import { underTls } from "../support/secured_client.ts";
import {
  HOST,
  PASSWORD,
  type SecuredDaemon,
  startSecuredDaemon,
} from "../support/secured_daemon.ts";
import { until } from "../support/until.ts";

/** Where STARTTLS is to be had. */
const SERVICES: readonly Service[] = ["smtp", "submission"];
const LOGIN = `AUTH PLAIN ${btoa(`\0jones\0${PASSWORD}`)}\r\n`;
const MESSAGE = "MAIL FROM:<jones@mx.test>\r\nRCPT TO:<smith@mx.test>\r\nDATA\r\n" +
  "Subject: injected\r\n\r\ninjected\r\n.\r\n";
const HELLO = "EHLO evil.example\r\n";

const INJECTED: Readonly<Record<string, string>> = {
  "a command": "NOOP\r\n",
  "EHLO and a message": HELLO + MESSAGE,
  "EHLO, a login and a message": HELLO + LOGIN + MESSAGE,
  "a second STARTTLS": "STARTTLS\r\n",
  "the beginning of a line": "MAIL FROM:<jones@mx.test> SIZE=1",
};

testWith(["openssl"], "what is put behind STARTTLS is not obeyed", async (t) => {
  await using daemon = await startSecuredDaemon();

  await t.step("commands in the packet of STARTTLS are discarded", async (t) => {
    let discarded = 0;
    for (const service of SERVICES) {
      for (const [name, text] of Object.entries(INJECTED)) {
        await t.step(`${name}, at the ${service} port`, async () => {
          using asking = await greeted(daemon, service);
          await asking.client.send(`STARTTLS\r\n${text}`);
          assert.match(await asking.client.reply() ?? "", /^220 2\.0\.0 /);
          await assertFresh(await underTls(asking.conn, daemon), service);
          discarded += text.length;
        });
      }
    }
    const logged = [...daemon.log().matchAll(/ warn clear text discarded .* octets=(\d+)$/gm)];
    assert.equal(logged.reduce((sum, [, octets]) => sum + Number(octets), 0), discarded);
  });

  await t.step("half a line before the handshake is no part of one after it", async () => {
    using asking = await greeted(daemon, "smtp");
    await asking.client.send("STARTTLS\r\nNO");
    assert.match(await asking.client.reply() ?? "", /^220 2\.0\.0 /);
    const client = await underTls(asking.conn, daemon);
    assert.match(await client.command("OP") ?? "", /^500 5\.5\.1 /);
    await assertFresh(client, "smtp");
  });

  await t.step("commands instead of a handshake end the connection", async (t) => {
    for (const service of SERVICES) {
      for (const [name, text] of Object.entries(INJECTED)) {
        await t.step(`${name}, at the ${service} port`, async () => {
          using asking = await greeted(daemon, service);
          assert.match(await asking.client.command("STARTTLS") ?? "", /^220 2\.0\.0 /);
          // Long enough for whoever waits for a whole record of TLS.
          await asking.client.send(text.repeat(Math.ceil(20_000 / text.length)));
          await assertUnanswered(asking.conn);
        });
      }
    }
    await t.step("at the submissions port", async () => {
      const conn = await Deno.connect({
        hostname: "127.0.0.1",
        port: daemon.portFor("submissions"),
      });
      using _ = closing(conn);
      await new RawClient(conn).send(HELLO + LOGIN + MESSAGE);
      await assertUnanswered(conn);
    });
  });

  await t.step("commands in the packet after that of STARTTLS are not obeyed", async (t) => {
    let before = 0;
    let during = 0;
    // Sometimes they are there before STARTTLS is read, and mostly in the midst of its handshake.
    for (let round = 0; round < 60; round++) {
      const service = SERVICES[round % SERVICES.length]!;
      using asking = await greeted(daemon, service);
      asking.conn.setNoDelay(true);
      await asking.client.send("STARTTLS\r\n");
      for (let turn = 0; turn < round % 5; turn++) await new Promise((done) => setTimeout(done));
      await asking.client.send(HELLO + LOGIN + MESSAGE).catch(isEnd);
      assert.match(await asking.client.reply() ?? "", /^220 2\.0\.0 /);
      let client;
      try {
        client = await underTls(asking.conn, daemon);
      } catch (error) {
        isEnd(error);
        during++;
        continue;
      }
      await assertFresh(client, service);
      before++;
    }
    await t.step(`${before} times discarded, ${during} times an end`, () => {});
    assert.equal(before + during, 60);
  });

  await t.step("commands between the packets of a handshake are not obeyed", async () => {
    using asking = await greeted(daemon, "smtp");
    assert.match(await asking.client.command("STARTTLS") ?? "", /^220 2\.0\.0 /);
    // The client's first is its hello, its second ends the handshake.
    const { heard } = shakeHands(asking.conn, { 2: HELLO + MESSAGE });
    assert.equal(await heard, "");
  });

  await t.step("commands between the records of TLS are not obeyed", async () => {
    using asking = await greeted(daemon, "smtp");
    assert.match(await asking.client.command("STARTTLS") ?? "", /^220 2\.0\.0 /);
    const { socket, heard } = shakeHands(asking.conn, { 3: HELLO + MESSAGE });
    // Goes with the end of the handshake.
    socket.write("NOOP\r\n");
    await new Promise((done) => socket.once("data", done));
    socket.write("NOOP\r\n");
    assert.equal(await heard, "250 2.0.0 OK\r\n");
  });

  await t.step("what was said before STARTTLS is forgotten", async () => {
    using asking = await greeted(daemon, "smtp");
    const { client } = asking;
    await client.send("MAIL FROM:<a@b.example>\r\nRCPT TO:<smith@mx.test>\r\nSTARTTLS\r\n");
    assert.match(await client.reply() ?? "", /^250 2\.1\.0 /);
    assert.match(await client.reply() ?? "", /^250 2\.1\.5 /);
    assert.match(await client.reply() ?? "", /^220 2\.0\.0 /);
    const secured = await underTls(asking.conn, daemon);
    assert.match(await secured.command("DATA") ?? "", /^503 5\.5\.1 Say MAIL first/);
    assert.match(await secured.command("MAIL FROM:<a@b.example>") ?? "", /^503 5\.5\.1 Say EHLO/);
    assert.match(await secured.command("STARTTLS") ?? "", /^503 5\.5\.1 TLS is in use/);
    await assertFresh(secured, "smtp");
  });

  await until("the end of every connection", () => {
    const count = (text: string) => daemon.log().split(text).length;
    return count(" connection accepted ") === count(" connection closed ");
  });
  assert.deepEqual(await readMailbox(`${daemon.folder}/mail/smith`), []);
  assert.deepEqual(await namesIn(`${daemon.folder}/spool/queue`), []);
  assert.doesNotMatch(daemon.log(), / error | login |evil|recipient refused|timed out/);
});

interface Asking extends Disposable {
  readonly conn: Deno.TcpConn;
  readonly client: RawClient;
}

/** A client that has said EHLO in plain text. */
async function greeted(daemon: SecuredDaemon, service: Service): Promise<Asking> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: daemon.portFor(service) });
  const client = new RawClient(conn);
  assert.match(await client.reply() ?? "", /^220 /);
  assert.match(await client.command("EHLO client.example") ?? "", /^250.STARTTLS$/m);
  return { conn, client, ...closing(conn) };
}

/** It may be closed already, or be another's since its handshake. */
function closing(conn: Deno.Conn): Disposable {
  return {
    [Symbol.dispose]() {
      try {
        conn.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    },
  };
}

/** Fails where a client under TLS finds a session that has heard or said anything; closes it. */
async function assertFresh(client: RawClient, service: Service): Promise<void> {
  try {
    // An answer to anything else would be the first one.
    assert.match(await client.command("EHLO client.example") ?? "", /^250-mx\.test\n/);
    if (service === "submission") {
      const reply = await client.command("MAIL FROM:<jones@mx.test>");
      assert.equal(reply, "530 5.7.0 Log in first");
    }
    assert.match(await client.command("QUIT") ?? "", /^221 2\.0\.0 /);
    assert.equal(await client.reply(), null);
  } finally {
    client.close();
  }
}

/** Fails where the server says anything but TLS, until it leaves. */
async function assertUnanswered(conn: Deno.TcpConn): Promise<void> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(4096);
  let heard = "";
  try {
    for (let length; (length = await conn.read(buffer)) !== null;) {
      heard += decoder.decode(buffer.subarray(0, length), { stream: true });
    }
  } catch (error) {
    isEnd(error);
  }
  assert.doesNotMatch(heard, /[2-5]\d\d[ -]/);
}

/** Does the client's part of a handshake with `texts` before its writes of these numbers. */
function shakeHands(
  conn: Deno.TcpConn,
  texts: Readonly<Record<number, string>>,
): { readonly socket: tls.TLSSocket; readonly heard: Promise<string> } {
  const socket = tls.connect({
    socket: new ByteStream(new Interrupted(conn, texts)),
    servername: HOST,
    rejectUnauthorized: false,
  });
  let text = "";
  const heard = new Promise<string>((resolve) => {
    socket.on("data", (bytes) => text += bytes.toString("latin1"));
    socket.on("error", () => {});
    for (const end of ["end", "close"]) {
      socket.once(end, () => {
        socket.destroy();
        resolve(text);
      });
    }
  });
  return { socket, heard };
}

class Interrupted implements Bytes {
  readonly #conn: Deno.TcpConn;
  readonly #texts: Readonly<Record<number, string>>;
  readonly #buffer = new Uint8Array(4096);
  #writes = 0;

  constructor(conn: Deno.TcpConn, texts: Readonly<Record<number, string>>) {
    this.#conn = conn;
    this.#texts = texts;
  }

  async read(): Promise<Uint8Array | null> {
    const length = await this.#conn.read(this.#buffer);
    return length === null ? null : this.#buffer.subarray(0, length);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const client = new RawClient(this.#conn);
    await client.send(this.#texts[++this.#writes] ?? "");
    await client.send(bytes);
  }

  close(): void {
    closing(this.#conn)[Symbol.dispose]();
  }
}

/** Throws what is not the end of a connection. */
function isEnd(error: unknown): void {
  const isOne = error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.InvalidData;
  if (!isOne) throw error;
}
