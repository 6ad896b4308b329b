/** Listening on both address families, and accepting through troubles. */

import assert from "node:assert/strict";
import type { Fields, Log } from "../../src/log.ts";
import {
  acceptLoop,
  listenAddresses,
  ListenError,
  openListeners,
} from "../../src/receiver/listener.ts";
import { startReceiver } from "../support/local_receiver.ts";
import { hasIpv6, skippable } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";
import { silentLog } from "../support/silent_log.ts";

const noIpv6 = hasIpv6() ? undefined : "no ::1 on this machine";

Deno.test("each address is listened on once, the special ones stand for all they take", () => {
  const addresses = (...LISTEN_ADDR: string[]) => listenAddresses({ LISTEN_ADDR });
  assert.deepEqual(addresses("127.0.0.1", "127.0.0.1", "::1"), ["127.0.0.1", "::1"]);
  assert.deepEqual(addresses("0.0.0.0", "::", "::1"), ["::"]);
  assert.deepEqual(addresses("0.0.0.0", "127.0.0.1", "::1"), ["0.0.0.0", "::1"]);
});

Deno.test({
  ...skippable("both families are served, each with its address in the trace", noIpv6),
  fn: async () => {
    await using local = await startReceiver("LISTEN_ADDR = 127.0.0.1, ::1");
    const ports = local.receiver.addresses.map((address) => Number(address.split(":").at(-1)));
    for (const [i, hostname] of ["127.0.0.1", "::1"].entries()) {
      const client = await RawClient.connect(ports[i]!, hostname);
      await client.reply();
      for (const line of ["HELO a.example", "MAIL FROM:<>", "RCPT TO:<jones@me.example>", "DATA"]) {
        assert.match(await client.command(line) ?? "", /^(250|354) /);
      }
      assert.match(await client.command("x\r\n.") ?? "", /^250 /);
      client.close();
    }
    const texts = [...local.disk.files.values()].map(({ bytes }) =>
      new TextDecoder().decode(bytes)
    );
    assert.match(texts[0]!, /^Received: from a\.example \(\[127\.0\.0\.1\]\)$/m);
    assert.match(texts[1]!, /^Received: from a\.example \(\[IPv6:::1\]\)$/m);
  },
});

Deno.test({
  ...skippable("on :: an IPv4 client shows as what it is", noIpv6),
  fn: async () => {
    await using local = await startReceiver("LISTEN_ADDR = ::");
    const client = await RawClient.connect(local.port);
    await client.reply();
    const replies = [];
    for (
      const line of ["EHLO a", "MAIL FROM:<>", "RCPT TO:<jones@[127.0.0.1]>", "DATA", "x\r\n."]
    ) {
      replies.push(await client.command(line));
    }
    assert.match(replies.at(-1) ?? "", /^250 /);
    client.close();
    const [{ bytes } = assert.fail()] = local.disk.files.values();
    assert.match(new TextDecoder().decode(bytes), /\(\[127\.0\.0\.1\]\)/);
  },
});

Deno.test("a port that is taken, and an address that is not ours, are named in one line", () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const attempt = (LISTEN_ADDR: string, LISTEN_PORT: number) => () =>
    openListeners({ LISTEN_ADDR: [LISTEN_ADDR], LISTEN_PORT });
  assert.throws(attempt("127.0.0.1", taken.addr.port), (error) => {
    return error instanceof ListenError &&
      /^cannot listen on 127\.0\.0\.1:\d+: .*\S$/.test(error.message);
  });
  assert.throws(attempt("192.0.2.1", 0), /cannot listen on 192\.0\.2\.1:0: .*address/);
  taken.close();
});

/** A listener that gives what the test wants. */
function listenerOf(outcomes: (Deno.TcpConn | Error)[]): Deno.TcpListener {
  const accept = () => {
    const outcome = outcomes.shift() ?? new Deno.errors.BadResource();
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  };
  return { accept } as unknown as Deno.TcpListener;
}

Deno.test("clients that are gone before they are let in cost the next one nothing", async () => {
  const gone = () => new Deno.errors.NotConnected("os error 107");
  const lines: string[] = [];
  const log: Log = { ...silentLog, error: (event) => lines.push(event) };
  let accepted = 0;
  // A pause after each would take half a minute and more.
  const many = Array.from({ length: 100 }, gone);
  await acceptLoop(listenerOf([...many, {} as Deno.TcpConn]), () => accepted++, log);
  assert.equal(accepted, 1);
  assert.deepEqual(lines, []);
});

Deno.test("accepting goes on after failures, and a run of them is logged once", async () => {
  const emfile = () => Object.assign(new Error("Too many open files"), { code: "EMFILE" });
  const conn = {} as Deno.TcpConn;
  const lines: [string, Fields | undefined][] = [];
  const log: Log = { ...silentLog, error: (event, fields) => lines.push([event, fields]) };
  let accepted = 0;
  await acceptLoop(
    listenerOf([conn, emfile(), emfile(), emfile(), conn, emfile(), conn]),
    () => accepted++,
    log,
  );
  assert.equal(accepted, 3);
  assert.equal(lines.length, 2);
});
