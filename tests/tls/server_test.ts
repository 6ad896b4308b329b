/** A server's handshake and what follows it, over bytes in memory. */

import assert from "node:assert/strict";
import { readCertificate } from "../../src/tls/certificate.ts";
import { HandshakeError } from "../../src/tls/handshake_error.ts";
import { acceptTls, type ServerBytes } from "../../src/tls/server.ts";
import { MemoryBytes } from "../support/memory_bytes.ts";
import { settled } from "../support/settled.ts";
import { tlsClient } from "../support/tls_client.ts";
import { until } from "../support/until.ts";

const support = new URL("../support/", import.meta.url).pathname;
const { context } = await readCertificate(
  await Deno.readTextFile(`${support}mx.test.crt`),
  await Deno.readTextFile(`${support}mx.test.key`),
);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Both sides with the handshake behind them. */
async function secured() {
  const [near, far] = MemoryBytes.pair();
  const client = tlsClient(far);
  const server = await acceptTls(near, context);
  return { near, far, server, client: await client.secured };
}

/** Reads until as many octets have come. */
async function readText(server: ServerBytes, length: number): Promise<string> {
  let text = "";
  while (text.length < length) {
    const bytes = await server.read();
    assert.ok(bytes, `only ${text.length} octets`);
    text += decoder.decode(bytes);
  }
  return text;
}

/** Why a handshake failed. */
async function failure(near: MemoryBytes, begun = acceptTls(near, context)): Promise<string> {
  const error = await begun.then(() => undefined, (error) => error);
  assert.ok(error instanceof HandshakeError, String(error));
  assert.ok(near.closed);
  return error.message;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`after a handshake of ${version} bytes go both ways, until both are at their end`, async () => {
    const [near, far] = MemoryBytes.pair();
    const client = tlsClient(far, { maxVersion: version });
    const server = await acceptTls(near, context);
    const socket = await client.secured;
    assert.equal(server.tls.protocol, version);
    assert.equal(server.tls.cipher, socket.getCipher().name);

    socket.write("EHLO client.example\r\n");
    assert.equal(await readText(server, 21), "EHLO client.example\r\n");
    const heard = Promise.withResolvers<string>();
    socket.once("data", (bytes) => heard.resolve(decoder.decode(bytes)));
    await server.write(encoder.encode("250 mx.test\r\n"));
    assert.equal(await heard.promise, "250 mx.test\r\n");

    const ended = Promise.withResolvers<void>();
    socket.once("end", () => ended.resolve());
    await server.end();
    await ended.promise;
    socket.end();
    assert.equal(await server.read(), null);
    server.close();
  });
}

Deno.test("long texts go through in both directions at a time", async () => {
  const { server, client } = await secured();
  const text = "0123456789abcdef".repeat(65536);
  let heard = 0;
  client.on("data", (bytes) => heard += bytes.length);
  client.write(text);
  const [received] = await Promise.all([
    readText(server, text.length),
    server.write(encoder.encode(text)),
  ]);
  assert.equal(received, text);
  await until("all of it", () => heard === text.length);
  server.close();
});

Deno.test("what is no handshake fails it", async () => {
  for (const garbage of ["EHLO client.example\r\n", "\x16\x03\x01\xff\xff", "\0".repeat(70_000)]) {
    const [near, far] = MemoryBytes.pair();
    const begun = acceptTls(near, context);
    await far.write(encoder.encode(garbage));
    far.close();
    assert.match(await failure(near, begun), /^[ -~]+$/);
  }
});

Deno.test("garbage in the middle of a handshake fails it", async () => {
  const [near, far] = MemoryBytes.pair();
  const [between, client] = MemoryBytes.pair();
  const { socket } = tlsClient(client);
  const begun = acceptTls(near, context);
  // The client's first words, the server's answer to nobody, and then nonsense.
  await far.write(await between.read() ?? new Uint8Array());
  await far.read();
  await far.write(encoder.encode("250-evil\r\n250 8BITMIME\r\n"));
  await failure(near, begun);
  socket.destroy();
});

Deno.test("a client that leaves during the handshake fails it", async () => {
  const [near, far] = MemoryBytes.pair();
  const begun = acceptTls(near, context);
  await settled();
  far.close();
  assert.equal(await failure(near, begun), "the client left");
});

Deno.test("closing the bytes ends a handshake that nobody answers", async () => {
  const [near] = MemoryBytes.pair();
  const begun = acceptTls(near, context);
  await settled();
  near.close();
  await failure(near, begun);
});

Deno.test("bytes that are closed already fail it at once", async () => {
  const [near] = MemoryBytes.pair();
  near.close();
  await failure(near);
});

Deno.test("a client that knows no version of TLS that is wanted fails it", async () => {
  // The greeting of TLS 1.1: version 3.2, one cipher, no extensions.
  const hello = [3, 2, ...new Array(32).fill(7), 0, 0, 2, 0, 0x2f, 1, 0];
  const message = [1, 0, 0, hello.length, ...hello];
  const [near, far] = MemoryBytes.pair();
  const begun = acceptTls(near, context);
  await far.write(new Uint8Array([22, 3, 1, 0, message.length, ...message]));
  await failure(near, begun);
});

Deno.test("what a client sends unasked stays with the client", async () => {
  const { near, server, client } = await secured();
  await settled();
  const before = near.taken;
  for (let i = 0; i < 200; i++) client.write("x".repeat(10_000));
  await settled();
  assert.equal(near.taken, before);
  // For one read some more are taken, for their number shows only when they are deciphered.
  for (let reads = 1; reads <= 5; reads++) {
    assert.equal(decoder.decode(await server.read() ?? undefined)[0], "x");
    await settled();
    assert.ok(near.taken - before <= reads * 65_536, `${near.taken - before} octets`);
  }
  server.close();
});

Deno.test("closing ends a read that waits", async () => {
  const { near, server } = await secured();
  const read = server.read().then((bytes) => bytes, () => null);
  await settled();
  server.close();
  assert.equal(await read, null);
  assert.ok(near.closed);
  server.close();
});

Deno.test("after a close nothing can be written", async () => {
  const { server } = await secured();
  server.close();
  await assert.rejects(server.write(encoder.encode("220 mx.test\r\n")));
});

Deno.test("a client that is gone is the end of reading", async () => {
  const { far, server } = await secured();
  far.close();
  assert.equal(await server.read().catch(() => null), null);
  server.close();
});

Deno.test("garbage after the handshake breaks the connection", async () => {
  const { near, far, server } = await secured();
  const read = server.read();
  await far.write(encoder.encode("MAIL FROM:<>\r\n"));
  await assert.rejects(read, /corrupt message/);
  await assert.rejects(server.write(encoder.encode("250 OK\r\n")));
  assert.ok(near.closed);
  server.close();
});
