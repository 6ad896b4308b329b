/** Accepting through troubles, and leaving a port to another socket. */

import assert from "node:assert/strict";
import type { Fields, Log } from "../../src/log.ts";
import { Acceptor, type Listener } from "../../src/receiver/acceptor.ts";
import { silentLog } from "../support/silent_log.ts";

/** Accepts until the listener is closed. */
function accepting(
  listener: Listener,
  accepted: (conn: Deno.TcpConn) => void,
  log: Log,
): Promise<void> {
  return new Acceptor(listener, accepted, log).done;
}

/** A listener that gives what the test wants. */
function listenerOf(outcomes: (Deno.TcpConn | Error)[]): Listener {
  const accept = () => {
    const outcome = outcomes.shift() ?? new Deno.errors.BadResource();
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  };
  return { accept, close: () => {} };
}

Deno.test("clients that are gone before they are let in cost the next one nothing", async () => {
  const gone = () => new Deno.errors.NotConnected("os error 107");
  const lines: string[] = [];
  const log: Log = { ...silentLog, error: (event) => lines.push(event) };
  let accepted = 0;
  // A pause after each would take half a minute and more.
  const many = Array.from({ length: 100 }, gone);
  await accepting(listenerOf([...many, {} as Deno.TcpConn]), () => accepted++, log);
  assert.equal(accepted, 1);
  assert.deepEqual(lines, []);
});

Deno.test("accepting goes on after failures, and a run of them is logged once", async () => {
  const emfile = () => Object.assign(new Error("Too many open files"), { code: "EMFILE" });
  const conn = {} as Deno.TcpConn;
  const lines: [string, Fields | undefined][] = [];
  const log: Log = { ...silentLog, error: (event, fields) => lines.push([event, fields]) };
  let accepted = 0;
  await accepting(
    listenerOf([conn, emfile(), emfile(), emfile(), conn, emfile(), conn]),
    () => accepted++,
    log,
  );
  assert.equal(accepted, 3);
  assert.equal(lines.length, 2);
});

/** A socket beside others on the same port; the system spreads the clients. */
function listen(port = 0): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port, reusePort: true });
}

Deno.test("whoever is in the backlog is accepted before the socket is left", async () => {
  const listener = listen();
  const { port } = listener.addr;
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  const accepted: Deno.TcpConn[] = [];
  const acceptor = new Acceptor(listener, (conn) => accepted.push(conn), silentLog);
  acceptor.leave();
  await acceptor.done;
  assert.equal(accepted.length, 20);
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
  [...clients, ...accepted].forEach((conn) => conn.close());
});

Deno.test("a socket that nobody comes to is left too", async () => {
  const listener = listen();
  const acceptor = new Acceptor(listener, () => assert.fail(), silentLog);
  acceptor.leave();
  await acceptor.done;
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }));
});

Deno.test("another socket on the port takes whoever comes then", async () => {
  const old = listen();
  const { port } = old.addr;
  const accepted: string[] = [];
  const take = (who: string) => (conn: Deno.TcpConn) => {
    accepted.push(who);
    conn.close();
  };
  const leaving = new Acceptor(old, take("old"), silentLog);
  const staying = new Acceptor(listen(port), take("new"), silentLog);
  leaving.leave();
  await leaving.done;
  const before = accepted.length;
  for (let i = 0; i < 20; i++) (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  while (accepted.length < before + 20) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(accepted.slice(before), Array(20).fill("new"));
  staying.close();
  await staying.done;
});
