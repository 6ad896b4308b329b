/** Clients that take for ever, each in another phase: all of them are turned out, honest ones are not. */

import assert from "node:assert/strict";
import { TLS_SETTINGS, TRUST } from "../support/certificate.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { type LocalReceiver, startReceiver } from "../support/local_receiver.ts";
import { RawClient } from "../support/raw_client.ts";
import { envelope, greetedClient, submit } from "../support/submit.ts";
import { until } from "../support/until.ts";

/** Each wait for a client lasts two seconds at most, so that a busy machine does not make honest ones late. */
const SETTINGS = `CLIENT_TIMEOUT = 2\n${TLS_SETTINGS}\nSUBMISSION_PORT = 0\nSUBMISSIONS_PORT = 0`;
/** Milliseconds from one octet to the next. */
const EVERY = 100;
/** The beginning of a handshake: a record of 512 octets, of which few will come. */
const CLIENT_HELLO = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

type Open = (local: LocalReceiver) => Promise<RawClient>;

const plain: Open = ({ port }) => greetedClient(port);

const inText: Open = async (local) => {
  const client = await plain(local);
  await envelope(client, { to: ["jones@me.example"] });
  return client;
};

const secured: Open = async (local) => {
  const client = await RawClient.connect(local.portFor("submissions"));
  await client.secure(TRUST);
  await client.reply();
  assert.match(await client.command("EHLO client.example") ?? "", /^250/);
  return client;
};

const inLogin: Open = async (local) => {
  const client = await secured(local);
  assert.match(await client.command("AUTH LOGIN") ?? "", /^334 /);
  return client;
};

const afterStartTls: Open = async (local) => {
  const client = await plain(local);
  assert.match(await client.command("STARTTLS") ?? "", /^220 /);
  return client;
};

/** How each comes to where it is slow, what it says there over and over, and what it hears. */
const SLOW: Readonly<Record<string, readonly [Open, string, RegExp | null]>> = {
  "in a command": [plain, "N", /^421 4\.4\.2 /],
  "in a text": [inText, "x", /^421 4\.4\.2 /],
  "in the lines of a text": [inText, "\r\n", /^421 4\.4\.2 /],
  "in a command under TLS": [secured, "N", /^421 4\.4\.2 /],
  "in the answer of a login": [inLogin, "x", /^421 4\.4\.2 /],
  "in its handshake": [({ portFor }) => RawClient.connect(portFor("submissions")), "", null],
  "in its handshake after STARTTLS": [afterStartTls, "", null],
};

/** Says a little now and then, and returns what it hears at last. */
async function dawdle(client: RawClient, octets: string): Promise<string | null> {
  let said = 0;
  const timer = setInterval(() => {
    const next = octets === "" ? CLIENT_HELLO[said++] ?? "\0" : octets;
    client.send(Uint8Array.from(next, (octet) => octet.charCodeAt(0))).catch(() => {});
  }, EVERY);
  try {
    return await client.reply();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return null;
    throw error;
  } finally {
    clearInterval(timer);
    client.close();
  }
}

Deno.test("whoever is slow, in whatever phase, is turned out", async () => {
  const log = new CollectingLog();
  await using local = await startReceiver(SETTINGS, log);
  const all = Object.entries(SLOW);
  await Promise.all(all.map(async ([where, [open, octets, farewell]]) => {
    const heard = await dawdle(await open(local), octets);
    if (farewell) assert.match(heard ?? "", farewell, where);
    else assert.equal(heard, null, where);
  }));
  const closed = await until("their ends", () => {
    const fields = log.fieldsOf("connection closed");
    return fields.length === all.length && fields;
  });
  assert.deepEqual(new Set(closed.map(({ reason }) => reason)), new Set(["timed out"]));
  // Of the texts nothing is kept.
  assert.deepEqual([...local.disk.files.keys()], []);
  await submit(local.port, { to: ["smith@me.example"] });
});

Deno.test("who sends a text at the rate of an old modem is served, however long that takes", async () => {
  await using local = await startReceiver(SETTINGS);
  const client = await inText(local);
  // 1,000 octets a second, for longer than it may be silent.
  for (let i = 0; i < 40; i++) {
    await client.send(`${"x".repeat(98)}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.match(await client.command(".") ?? "", /^250 /);
  client.close();
});

Deno.test("who sends too much has to come to an end, at whatever rate", async () => {
  await using local = await startReceiver(`${SETTINGS}\nMAX_MESSAGE_SIZE = 64K`);
  const client = await inText(local);
  await client.send(`${"x".repeat(98)}\r\n`.repeat(700));
  assert.match(await dawdle(client, `${"x".repeat(998)}\r\n`) ?? "", /^421 4\.4\.2 /);
});

Deno.test("who does not read what it hears is turned out, though it goes on sending", async () => {
  const log = new CollectingLog();
  await using local = await startReceiver(SETTINGS, log);
  const client = await RawClient.connect(local.port);
  // A message each, so that no budget ends it, with as many replies as can be had.
  const message = "MAIL FROM:<>\r\n" + "RCPT TO:<jones@me.example>\r\n".repeat(1000) +
    "DATA\r\nx\r\n.\r\n";
  const bytes = new TextEncoder().encode(`EHLO client.example\r\n${message.repeat(20)}`);
  await assert.rejects(async () => {
    for (;;) await client.send(bytes);
  }, (error) => {
    return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
  });
  client.close();
  await until("the end", () => log.fieldsOf("connection closed").length === 1);
  assert.equal(log.fieldsOf("connection closed")[0]?.reason, "timed out");
});

Deno.test("who has ended its half and reads is told the end, as is who never says a word", async () => {
  await using local = await startReceiver(SETTINGS);
  const half = await RawClient.connect(local.port);
  assert.match(await half.reply() ?? "", /^220 /);
  await half.closeWrite();
  assert.equal(await half.line(), null);
  half.close();
  const mute = await RawClient.connect(local.port);
  assert.match(await mute.reply() ?? "", /^220 /);
  assert.match(await mute.reply() ?? "", /^421 4\.4\.2 /);
  assert.equal(await mute.line(), null);
  mute.close();
});
