/** Texts at and beyond MAX_MESSAGE_SIZE: what fits passes in little memory, what does not leaves nothing. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { namesIn } from "../support/names_in.ts";
import { skippable } from "../support/programs.ts";
import type { RawClient } from "../support/raw_client.ts";
import { greetedClient } from "../support/submit.ts";

const MIB = 1024 * 1024;
/** The preset of MAX_MESSAGE_SIZE, in octets as they come over the wire. */
const LARGEST = 50 * MIB;
/** What the daemon may need more than at rest, whatever the size of a text. */
const MEMORY = 32 * MIB;

/** 64 lines of 1,024 octets, sent again and again. */
const LINE = "0123456789abcdef".repeat(64).slice(0, 1022) + "\r\n";
const BLOCK = new TextEncoder().encode(LINE.repeat(64));
const HEADER = "Subject: large\r\n\r\n";

Deno.test({
  ...skippable(
    "a text of 50 MiB is stored as it came, in less than 32 MiB more memory",
    Deno.build.os === "linux" ? undefined : "no /proc to read the memory from",
  ),
  fn: async () => {
    await using daemon = await startDaemon();
    await forgetPeak(daemon);
    const before = (await memory(daemon)).VmRSS;

    const sent = await transfer(daemon.port, LARGEST, "jones");

    assert.match(sent.reply, /^250 /);
    const grown = (await memory(daemon)).VmHWM - before;
    assert(grown < MEMORY, `memory grew by ${grown} octets`);
    const [path, ...others] = await files(daemon, "jones/new");
    assert(path && others.length === 0);
    assert.equal(await hashBelowTrace(path), sent.hash);
    assert.deepEqual(await files(daemon, "jones/tmp"), []);
  },
});

Deno.test("a text of one octet too many gets 552 at its end and leaves no file (RFC 1870 6.3)", async () => {
  await using daemon = await startDaemon();
  const { reply } = await transfer(daemon.port, LARGEST + 1, "jones");
  assert.match(reply, /^552 5\.3\.4 /);
  await nothingIsLeft(daemon);
});

Deno.test("51 MiB not announced get 552 at their end, and the session goes on", async () => {
  await using daemon = await startDaemon();
  const client = await greetedClient(daemon.port);
  try {
    assert.match((await sendText(client, 51 * MIB, "jones")).reply, /^552 5\.3\.4 /);
    await nothingIsLeft(daemon);
    assert.match((await sendText(client, 1 * MIB, "jones")).reply, /^250 /);
    assert.equal((await files(daemon, "jones/new")).length, 1);
  } finally {
    client.close();
  }
});

Deno.test("51 MiB announced by SIZE= get 552 at MAIL, 50 MiB do not (RFC 1870 6.1)", async () => {
  await using daemon = await startDaemon();
  const client = await greetedClient(daemon.port);
  try {
    const mail = "MAIL FROM:<mary@client.example>";
    assert.match(await client.command(`${mail} SIZE=${51 * MIB}`) ?? "", /^552 5\.3\.4 /);
    assert.match(await client.command("RCPT TO:<jones@me.example>") ?? "", /^503 /);
    assert.match(await client.command(`${mail} SIZE=${LARGEST}`) ?? "", /^250 /);
  } finally {
    client.close();
  }
  await nothingIsLeft(daemon);
});

interface Sent {
  /** The reply to the text. */
  readonly reply: string;
  /** SHA-256 of the text with LF line ends. */
  readonly hash: string;
}

/** Sends one text of `size` octets in a session of its own. */
async function transfer(port: number, size: number, user: string): Promise<Sent> {
  const client = await greetedClient(port);
  try {
    const sent = await sendText(client, size, user);
    await client.command("QUIT");
    return sent;
  } finally {
    client.close();
  }
}

/** Sends one text of `size` octets, its end mark not counted, a block at a time. */
async function sendText(client: RawClient, size: number, user: string): Promise<Sent> {
  assert.match(await client.command("MAIL FROM:<mary@client.example>") ?? "", /^250 /);
  assert.match(await client.command(`RCPT TO:<${user}@me.example>`) ?? "", /^250 /);
  assert.match(await client.command("DATA") ?? "", /^354 /);
  const hash = createHash("sha256");
  const send = async (bytes: Uint8Array) => {
    hash.update(bytes.filter((octet) => octet !== 13));
    await client.send(bytes);
  };
  await send(new TextEncoder().encode(HEADER));
  let left = size - HEADER.length;
  for (; left > BLOCK.length + LINE.length; left -= BLOCK.length) await send(BLOCK);
  // The last line is as long as it must be.
  await send(new TextEncoder().encode("x".repeat(left - 2) + "\r\n"));
  await client.send(".\r\n");
  return { reply: await client.reply() ?? "", hash: hash.digest("hex") };
}

async function nothingIsLeft(daemon: Daemon): Promise<void> {
  for (const folder of ["tmp", "new", "cur"]) {
    assert.deepEqual(await files(daemon, `jones/${folder}`), []);
  }
}

async function files({ folder }: Daemon, under: string): Promise<string[]> {
  const directory = `${folder}/mail/${under}`;
  return (await namesIn(directory)).map((name) => `${directory}/${name}`);
}

/** SHA-256 of a stored message without Return-Path and Received, which take four lines. */
async function hashBelowTrace(path: string): Promise<string> {
  const hash = createHash("sha256");
  let lines = 4;
  using file = await Deno.open(path);
  for await (const piece of file.readable) {
    let from = 0;
    for (; lines > 0 && from < piece.length; from++) if (piece[from] === 10) lines--;
    hash.update(piece.subarray(from));
  }
  return hash.digest("hex");
}

/** Memory of the daemon's process now (VmRSS) and at its peak (VmHWM), in octets. */
async function memory({ process }: Daemon): Promise<Record<"VmRSS" | "VmHWM", number>> {
  // Deno itself lets only `--allow-all` read /proc.
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${process.pid}/status`] })
    .output();
  const status = new TextDecoder().decode(stdout);
  const value = (name: string) => {
    const kilobytes = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status)?.[1];
    assert(kilobytes, `no ${name} in ${status}`);
    return Number(kilobytes) * 1024;
  };
  return { VmRSS: value("VmRSS"), VmHWM: value("VmHWM") };
}

/** Makes the kernel take the present memory for the peak. */
async function forgetPeak({ process }: Daemon): Promise<void> {
  const command = `echo 5 > /proc/${process.pid}/clear_refs`;
  const { success } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  assert(success, command);
}
