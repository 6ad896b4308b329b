/** Connections under TLS over real sockets: how they are secured, used, broken off and ended. */

import assert from "node:assert/strict";
import type { Service } from "../../src/config/service.ts";
import { TLS_SETTINGS, TRUST } from "../support/certificate.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { type LocalReceiver, startReceiver } from "../support/local_receiver.ts";
import { RawClient } from "../support/raw_client.ts";
import { envelope, transaction } from "../support/submit.ts";
import { until } from "../support/until.ts";

const SETTINGS = `${TLS_SETTINGS}\nSUBMISSION_PORT = 0\nSUBMISSIONS_PORT = 0`;
const AUTH = `AUTH PLAIN ${btoa("\0jones\0secret")}`;
const SERVICES: readonly Service[] = ["smtp", "submission", "submissions"];

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A client that has had STARTTLS taken, where there is one: the handshake is next. */
async function beforeHandshake(local: LocalReceiver, service: Service): Promise<RawClient> {
  const client = await RawClient.connect(local.portFor(service));
  if (service === "submissions") return client;
  assert.match(await client.reply() ?? "", /^220 /);
  assert.match(await client.command("EHLO client.example") ?? "", /\n250 STARTTLS$/);
  assert.match(await client.command("STARTTLS") ?? "", /^220 /);
  return client;
}

/** A client under TLS that has said EHLO, and has logged in where that is asked for. */
async function secured(local: LocalReceiver, service: Service): Promise<RawClient> {
  const client = await beforeHandshake(local, service);
  await client.secure(TRUST);
  if (service === "submissions") assert.match(await client.reply() ?? "", /^220 /);
  assert.match(await client.command("EHLO client.example") ?? "", /^250/);
  if (service !== "smtp") assert.match(await client.command(AUTH) ?? "", /^235 /);
  return client;
}

/** The server serves, as ever. */
async function servesOn(local: LocalReceiver): Promise<void> {
  const client = await secured(local, "submission");
  assert.match(await transaction(client, { to: ["smith@me.example"] }), /^250 /);
  client.close();
}

/** Reads to the end, whatever comes and however it ends. */
async function drained(conn: Deno.Conn): Promise<Uint8Array> {
  const all: number[] = [];
  const buffer = new Uint8Array(4096);
  try {
    for (let length; (length = await conn.read(buffer)) !== null;) {
      all.push(...buffer.subarray(0, length));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  conn.close();
  return Uint8Array.from(all);
}

/** The same up to where the handshake is next, as a socket. */
async function bareSocket(local: LocalReceiver, service: Service): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: local.portFor(service) });
  if (service === "submissions") return conn;
  const buffer = new Uint8Array(4096);
  for (const said of ["", "EHLO c\r\n", "STARTTLS\r\n"]) {
    await conn.write(bytes(said));
    await conn.read(buffer);
  }
  return conn;
}

/** What comes once all connections so far are closed. */
function closed(log: CollectingLog, count = 1) {
  return until("the connection to be closed", () => {
    const all = log.fieldsOf("connection closed");
    return all.length >= count && all;
  });
}

/** Lines of a text in every octet that a text may have. */
function textOf(size: number): string {
  const head = "From: jones@me.example\r\nDate: Sun, 22 Nov 2026 15:04:05 +0000\r\n" +
    "Message-ID: <1@me.example>\r\n\r\n";
  const octets = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i));
  const line = octets.filter((octet) => !"\r\n".includes(octet)).join("").repeat(3);
  const numbered: string[] = [];
  for (let length = head.length, i = 0; length < size; i++) {
    const one = `${i}${line}`.slice(0, Math.max(size - length - 2, 0)) + "\r\n";
    numbered.push(i % 7 === 0 ? `.${one.slice(1)}` : one);
    length += one.length;
  }
  return head + numbered.join("");
}

for (const service of SERVICES) {
  for (const size of [64 * 1024, 5 * 1024 * 1024]) {
    Deno.test(`${service}: a text of ${size} octets comes through TLS byte for byte`, async () => {
      await using local = await startReceiver(SETTINGS);
      const client = await secured(local, service);
      const text = textOf(size);
      assert.match(await transaction(client, { to: ["smith@me.example"], text }), /^250 2\.0\.0 /);
      assert.match(await client.command("QUIT") ?? "", /^221 /);
      assert.equal(await client.line(), null);
      client.close();
      const [{ bytes: stored } = assert.fail(), ...more] = local.disk.files.values();
      assert.equal(more.length, 0);
      const expected = bytes(text.replaceAll("\r\n", "\n"));
      const below = stored.subarray(stored.length - expected.length);
      assert.ok(below.every((octet, i) => octet === expected[i]), "the text is another");
      const top = new TextDecoder().decode(stored.subarray(0, stored.length - expected.length));
      const protocol = service === "smtp" ? "ESMTPS" : "ESMTPSA";
      const trace =
        /^Return-Path: .*\nReceived: .*\n\tby .* with (\w+) \(TLSv1\.[23] \w+\)\n.*\n.*\n$/;
      assert.equal(trace.exec(top)?.[1], protocol, top);
    });
  }

  Deno.test(`${service}: garbage instead of a handshake ends that connection alone`, async () => {
    const log = new CollectingLog();
    await using local = await startReceiver(SETTINGS, log);
    for (
      const garbage of ["NOOP\r\n", "GET / HTTP/1.1\r\n\r\n", "\0".repeat(100), "\x16\x03\x01\xff"]
    ) {
      log.all.length = 0;
      const conn = await bareSocket(local, service);
      await conn.write(bytes(garbage));
      // Half a record that never ends would be waited for.
      await conn.closeWrite();
      const answer = String.fromCharCode(...await drained(conn));
      assert.doesNotMatch(answer, /\d{3} /, "nothing is answered in the clear");
      const [{ reason } = assert.fail()] = await closed(log);
      assert.equal(reason, "handshake failed");
      assert.equal(log.fieldsOf("handshake failed").length, 1);
      assert.deepEqual(log.all.filter(({ level }) => level === "error"), []);
    }
    await servesOn(local);
  });

  Deno.test(`${service}: a client that leaves in the middle of the handshake is just gone`, async () => {
    const log = new CollectingLog();
    await using local = await startReceiver(SETTINGS, log);
    for (const begun of ["", "\x16", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abc"]) {
      log.all.length = 0;
      const conn = await bareSocket(local, service);
      await conn.write(bytes(begun));
      conn.close();
      const [{ reason } = assert.fail()] = await closed(log);
      assert.equal(reason, "handshake failed");
      assert.equal(log.fieldsOf("handshake failed").length, 1);
      assert.deepEqual(log.all.filter(({ level }) => level === "error"), []);
    }
    await servesOn(local);
  });

  Deno.test(`${service}: a handshake has its deadline`, async () => {
    const log = new CollectingLog();
    await using local = await startReceiver(`${SETTINGS}\nCLIENT_TIMEOUT = 1`, log);
    const conn = await bareSocket(local, service);
    await conn.write(bytes("\x16\x03\x01"));
    assert.deepEqual(await drained(conn), new Uint8Array(0));
    const [{ reason } = assert.fail()] = await closed(log);
    assert.equal(reason, "timed out");
  });

  Deno.test(`${service}: stopping does not wait for a handshake`, async () => {
    await using local = await startReceiver(SETTINGS);
    const conn = await bareSocket(local, service);
    await conn.write(bytes("\x16\x03\x01"));
    // A connection counts from when it is accepted.
    const other = await beforeHandshake(local, "smtp");
    await local.receiver.stop(600_000);
    assert.deepEqual(await drained(conn), new Uint8Array(0));
    other.close();
  });

  Deno.test(`${service}: who is idle under TLS sees 421 there, and the end`, async () => {
    await using local = await startReceiver(SETTINGS);
    const client = await secured(local, service);
    const stopped = local.receiver.stop(600_000);
    assert.match(await client.reply() ?? "", /^421 4\.3\.2 me\.example /);
    assert.equal(await client.line(), null);
    client.close();
    await stopped;
  });

  Deno.test(`${service}: who is silent under TLS for too long sees 421 there`, async () => {
    await using local = await startReceiver(`${SETTINGS}\nCLIENT_TIMEOUT = 1`);
    const client = await secured(local, service);
    assert.match(await client.reply() ?? "", /^421 4\.4\.2 me\.example /);
    assert.equal(await client.line(), null);
    client.close();
  });
}

Deno.test("clear text behind STARTTLS is thrown away and told of (RFC 3207 6, BUG-7)", async () => {
  const log = new CollectingLog();
  await using local = await startReceiver(SETTINGS, log);
  const client = await RawClient.connect(local.port);
  await client.reply();
  await client.command("EHLO c");
  await client.send("STARTTLS\r\nEHLO evil\r\nMAIL FROM:<>\r\n");
  assert.match(await client.reply() ?? "", /^220 /);
  await client.secure(TRUST);
  assert.match(await client.command("MAIL FROM:<>") ?? "", /^503 /);
  client.close();
  const [{ octets } = assert.fail()] = log.fieldsOf("clear text discarded");
  assert.equal(octets, "EHLO evil\r\nMAIL FROM:<>\r\n".length);
});

Deno.test("clear text that comes later is no handshake, and never a command", async () => {
  const log = new CollectingLog();
  await using local = await startReceiver(SETTINGS, log);
  const client = await beforeHandshake(local, "smtp");
  await client.send("MAIL FROM:<evil@b.example>\r\n");
  await assert.rejects(client.secure(TRUST));
  const [{ reason } = assert.fail()] = await closed(log);
  assert.equal(reason, "handshake failed");
  assert.deepEqual(log.fieldsOf("transaction begun"), []);
  await servesOn(local);
});

Deno.test("a text that is coming in under TLS is finished and answered, then comes 421", async () => {
  await using local = await startReceiver(SETTINGS);
  const client = await secured(local, "smtp");
  await envelope(client, { to: ["jones@me.example"] });
  const stopped = local.receiver.stop(600_000);
  await client.send("Subject: x\r\n\r\nbody\r\n.\r\n");
  assert.match(await client.reply() ?? "", /^250 2\.0\.0 /);
  assert.match(await client.reply() ?? "", /^421 4\.3\.2 /);
  assert.equal(await client.line(), null);
  client.close();
  await stopped;
  assert.equal(local.disk.files.size, 1);
});

Deno.test("a text under TLS that does not end in time is cut off with 421, and not kept", async () => {
  await using local = await startReceiver(SETTINGS);
  const client = await secured(local, "submissions");
  await envelope(client, { to: ["jones@me.example"] });
  await client.send(`From: jones@me.example\r\n\r\n${"x".repeat(100_000)}\r\n`);
  const stopped = local.receiver.stop(100);
  assert.match(await client.reply() ?? "", /^421 4\.3\.2 /);
  assert.equal(await client.line(), null);
  client.close();
  await stopped;
  assert.deepEqual([...local.disk.files.keys()], []);
});

Deno.test("stopping does not wait for a login that must wait", async () => {
  await using local = await startReceiver(SETTINGS);
  const client = await RawClient.connect(local.portFor("submissions"));
  await client.secure(TRUST);
  await client.reply();
  await client.command("EHLO c");
  assert.match(await client.command(`AUTH PLAIN ${btoa("\0jones\0wrong")}`) ?? "", /^535 /);
  await client.send(`AUTH PLAIN ${btoa("\0jones\0wrong, too")}\r\n`);
  const stopped = local.receiver.stop(0);
  assert.match(await client.reply() ?? "", /^421 /);
  client.close();
  await stopped;
});

Deno.test("a client that has said all and closes its side hears every answer", async () => {
  await using local = await startReceiver(SETTINGS);
  const client = await secured(local, "smtp");
  await client.send(
    "MAIL FROM:<a@b.example>\r\nRCPT TO:<jones@me.example>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n",
  );
  await client.closeWrite();
  for (const code of [250, 250, 354, 250, 250]) {
    assert.match(await client.reply() ?? "", new RegExp(`^${code} `));
  }
  assert.equal(await client.line(), null);
  client.close();
  assert.equal(local.disk.files.size, 1);
});

Deno.test("a client that breaks off in the middle of a text leaves nothing", async () => {
  const log = new CollectingLog();
  await using local = await startReceiver(SETTINGS, log);
  for (const isReset of [false, true]) {
    log.all.length = 0;
    const client = await secured(local, "smtp");
    await envelope(client, { to: ["jones@me.example"] });
    // What a client has not read when it closes makes a reset of it.
    if (isReset) await client.send("x\r\n.\r\n");
    if (isReset) await until("a message", () => log.fieldsOf("message delivered").length > 0);
    const commands = isReset ? "MAIL FROM:<>\r\nRCPT TO:<jones@me.example>\r\nDATA\r\n" : "";
    await client.send(`${commands}${"x".repeat(200_000)}\r\n`);
    await until("a file", () => [...local.disk.files.keys()].some((path) => /\/tmp\//.test(path)));
    client.close();
    await closed(log);
    assert.deepEqual([...local.disk.files.keys()].filter((path) => /\/tmp\//.test(path)), []);
    assert.equal(log.fieldsOf("message delivered").length, isReset ? 1 : 0);
  }
  await servesOn(local);
});

Deno.test("a client that does not read its replies under TLS is cut off too", async () => {
  await using local = await startReceiver(`${SETTINGS}\nCLIENT_TIMEOUT = 1`);
  const client = await secured(local, "smtp");
  const helps = "HELP\r\n".repeat(20_000);
  await assert.rejects(async () => {
    for (;;) await client.send(helps);
  }, (error) => {
    return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
  });
  client.close();
});

Deno.test("a client beyond MAX_CLIENTS is told so where it can be, before a handshake it cannot", async () => {
  await using local = await startReceiver(`${SETTINGS}\nMAX_CLIENTS = 1`);
  const first = await secured(local, "submissions");
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: local.portFor("submissions") });
  assert.deepEqual(await drained(conn), new Uint8Array(0));
  for (const service of ["smtp", "submission"] as const) {
    const client = await RawClient.connect(local.portFor(service));
    assert.match(await client.reply() ?? "", /^421 me\.example /);
    assert.equal(await client.line(), null);
    client.close();
  }
  assert.match(await first.command("NOOP") ?? "", /^250 /);
  first.close();
});

Deno.test("many at once are secured and served, each in its own session", async () => {
  await using local = await startReceiver(SETTINGS);
  await Promise.all(Array.from({ length: 30 }, async (_, i) => {
    const client = await secured(local, SERVICES[i % 3]!);
    const text = `From: jones@me.example\r\n\r\nnumber ${i}\r\n`;
    assert.match(await transaction(client, { to: ["smith@me.example"], text }), /^250 /);
    client.close();
  }));
  const texts = [...local.disk.files.values()].map(({ bytes }) => new TextDecoder().decode(bytes));
  const numbers = texts.map((text) => Number(/^number (\d+)$/m.exec(text)?.[1]));
  assert.deepEqual(numbers.sort((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i));
});
