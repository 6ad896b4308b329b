/** `send`: a message from standard input into a mailbox, and what a person sees of it. */

import assert from "node:assert/strict";
import { readMailbox, startDaemon } from "../support/daemon.ts";
import { run } from "../support/run.ts";

Deno.test("a message with a header arrives as it is, its line ends made CR LF on the way", async () => {
  await using daemon = await startDaemon();
  const server = `127.0.0.1:${daemon.port}`;
  const { code, out, err } = await run(
    ["send", "--to", "jones@me.example", "--from", "a@b.example", "--server", server],
    { input: "Subject: Hi\n\n.dot\r\n..two\nno end" },
  );
  assert.equal(err, "");
  assert.equal(code, 0);
  assert.match(out, /^jones@me\.example: 250 2\.0\.0 /);
  const [{ bytes } = assert.fail()] = await readMailbox(`${daemon.folder}/mail/jones`);
  const text = new TextDecoder().decode(bytes);
  assert.match(text, /^Return-Path: <a@b\.example>\n/);
  assert.ok(text.endsWith("\nSubject: Hi\n\n.dot\n..two\nno end\n"), text);
});

Deno.test("a bare text gets a header", async () => {
  await using daemon = await startDaemon();
  const { code } = await run(
    ["send", "--to", "jones@me.example", "--from", "<>", "--server", `127.0.0.1:${daemon.port}`],
    { input: "Hello" },
  );
  assert.equal(code, 0);
  const [{ bytes } = assert.fail()] = await readMailbox(`${daemon.folder}/mail/jones`);
  const text = new TextDecoder().decode(bytes);
  assert.match(text, /^Return-Path: <>\n/);
  assert.match(
    text,
    /\nDate: .* \+0000\nFrom: <.*>\nTo: jones@me\.example\nMessage-ID: <.*@.*>\n\nHello\n$/,
  );
});

Deno.test("-v shows both sides of the conversation", async () => {
  await using daemon = await startDaemon();
  const { out } = await run(
    ["send", "-v", "--to", "jones@me.example", "--server", `127.0.0.1:${daemon.port}`],
    { input: "Hello" },
  );
  assert.match(out, /^S: 220 me\.example /m);
  assert.match(out, /^C: EHLO /m);
  assert.match(out, /^C: RCPT TO:<jones@me\.example>$/m);
  assert.match(out, /^S: 221 /m);
});

Deno.test("each recipient's fate is told, and one refusal makes the exit code 1", async () => {
  await using daemon = await startDaemon();
  const { code, out, err } = await run([
    "send",
    ...["--to", "jones@me.example", "--to", "nobody@me.example"],
    ...["--server", `127.0.0.1:${daemon.port}`],
  ], { input: "Hello" });
  assert.equal(code, 1);
  assert.match(out, /^jones@me\.example: 250 /);
  assert.match(err, /^denosmtpd: nobody@me\.example: 550 5\.1\.1 /);
  assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, 1);
});

Deno.test("more than a hundred recipients go in several transactions over one connection (CL-18)", async () => {
  await using daemon = await startDaemon();
  const { code, out, err } = await run([
    ...["send", "-v", "--server", `127.0.0.1:${daemon.port}`],
    ...Array<string[]>(101).fill(["--to", "jones@me.example"]).flat(),
  ], { input: "Hello" });
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(out.match(/^jones@me\.example: 250 /gm)?.length, 101);
  assert.equal(out.match(/^C: MAIL /gm)?.length, 2);
  assert.equal(out.match(/^C: EHLO /gm)?.length, 1);
  assert.equal(out.match(/^C: QUIT$/gm)?.length, 1);
});

Deno.test("a server that leaves after it refused one of two: both are told", async () => {
  const { port, done } = await serveOnce("220 s\r\n", "250 s\r\n", "250 OK\r\n", "550 no\r\n");
  const { code, err } = await run(
    ["send", "--to", "a@b.example", "--to", "c@b.example", "--server", `127.0.0.1:${port}`],
    { input: "Hello" },
  );
  await done;
  assert.equal(code, 1);
  assert.equal(
    err,
    "denosmtpd: a@b.example: 550 no\n" +
      `denosmtpd: 127.0.0.1:${port}: the server closed the connection\n`,
  );
});

Deno.test("where no server listens, one line says so", async () => {
  const { code, out, err } = await run(
    ["send", "--to", "a@b.example", "--server", "127.0.0.1:1"],
    { input: "Hello" },
  );
  assert.deepEqual([code, out], [1, ""]);
  assert.equal(err, "denosmtpd: 127.0.0.1:1: no server listens there\n");
});

/** A server for one connection that says the first line at once, each other when asked, and closes. */
async function serveOnce(...lines: string[]): Promise<{ port: number; done: Promise<void> }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await Promise.resolve();
  const done = (async () => {
    const conn = await listener.accept();
    listener.close();
    const buffer = new Uint8Array(4096);
    for (const [i, line] of lines.entries()) {
      if (i > 0) await conn.read(buffer);
      await conn.write(new TextEncoder().encode(line));
    }
    if (lines.length > 1) await conn.read(buffer);
    conn.close();
  })();
  return { port: listener.addr.port, done };
}

for (
  const [what, line, says] of [
    ["closes at once", "", "the server closed the connection"],
    ["speaks something else", "SSH-2.0-Other\r\n", "the server's reply is no reply: SSH-2.0-Other"],
  ] as const
) {
  Deno.test(`a server that ${what} is told about in one line`, async () => {
    const { port, done } = await serveOnce(line);
    const { code, err } = await run(
      ["send", "--to", "a@b.example", "--server", `127.0.0.1:${port}`],
      { input: "Hello" },
    );
    await done;
    assert.deepEqual([code, err], [1, `denosmtpd: 127.0.0.1:${port}: ${says}\n`]);
  });
}
