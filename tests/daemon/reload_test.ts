/** SIGHUP: the files are read anew, and nobody who is connected loses anything by it. */

import assert from "node:assert/strict";
import { NOWHERE, readMailbox, startDaemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { RawClient } from "../support/raw_client.ts";
import { startRecordingServer } from "../support/recording_server.ts";
import { greeting, outcomes, reload, rewrite } from "../support/reload.ts";
import { envelope, greetedClient, submit, transaction } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { deferredIn, emptied, retryAll } from "../support/waiting.ts";

/** What a new client hears to RCPT for each of these users. */
async function codes(port: number, ...users: readonly string[]): Promise<string[]> {
  const client = await greetedClient(port);
  await client.command("MAIL FROM:<a@b.example>");
  const replies: string[] = [];
  for (const user of users) {
    const reply = await client.command(`RCPT TO:<${user}@me.example>`);
    replies.push(reply?.slice(0, 3) ?? "");
  }
  client.close();
  return replies;
}

/** Whether somebody listens there. */
async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

Deno.test("a new user is known from then on, one who was removed is not, and a new mailbox is made", async () => {
  await using daemon = await startDaemon();
  assert.deepEqual(await codes(daemon.port, "jones", "smith", "brown"), ["250", "250", "550"]);
  const line = await reload(daemon, { users: "jones:mail/jones\nbrown:elsewhere/brown\n" });
  assert.match(line, / info reloaded host=me\.example listening=127\.0\.0\.1:\d+ users=2$/);
  assert.match(daemon.log(), / info mailbox made mailbox=\/.*\/elsewhere\/brown\n/);
  assert.deepEqual(await codes(daemon.port, "jones", "smith", "brown"), ["250", "550", "250"]);
  await submit(daemon.port, { to: ["brown@me.example"] });
  assert.equal((await readMailbox(`${daemon.folder}/elsewhere/brown`)).length, 1);
  assert.equal((await daemon.stop()).code, 0);
});

Deno.test("who is connected keeps the session by the old configuration, new clients get the new one", async () => {
  await using daemon = await startDaemon();
  const client = await greetedClient(daemon.port);
  await envelope(client, { to: ["smith@me.example"] });
  await client.send("Subject: Hi\r\n\r\n");
  await reload(daemon, { mail: "HOSTNAME = new.example", users: "jones:mail/jones\n" });
  assert.equal(await greeting(daemon.port), "new.example");
  await client.send("Hello\r\n.\r\n");
  assert.match(await client.reply() ?? "", /^250 /);
  const [{ bytes } = assert.fail()] = await readMailbox(`${daemon.folder}/mail/smith`);
  assert.match(new TextDecoder().decode(bytes), /by me\.example [^]*Subject: Hi\n\nHello\n$/);
  assert.match(await transaction(client, { to: ["smith@me.example"] }), /^250 /);
  // Old and new ones may come and go in any order.
  await reload(daemon, { mail: "HOSTNAME = newer.example" });
  assert.equal(await greeting(daemon.port), "newer.example");
  assert.match(await client.command("QUIT") ?? "", /^221 .*me\.example/);
  client.close();
  assert.equal((await readMailbox(`${daemon.folder}/mail/smith`)).length, 2);
  assert.equal((await daemon.stop()).code, 0);
  assert.doesNotMatch(daemon.log(), / (warn|error) /);
});

Deno.test("a wrong configuration is refused with a line for each problem, and the old one goes on", async () => {
  await using daemon = await startDaemon();
  const client = await greetedClient(daemon.port);
  const good = await Deno.readTextFile(`${daemon.folder}/mail.conf`);
  await reload(daemon, {
    mail: "HOSTNAME = new_example\nNONSENSE = 1",
    users: "jones:mail/jones\nsmith\n",
  });
  await until("all problems", () => outcomes(daemon).length === 3);
  outcomes(daemon).forEach((line) => assert.match(line, / error configuration refused problem="/));
  const shown = outcomes(daemon).map((line) => line.slice(line.indexOf("problem=")));
  assert.match(shown[0]!, /^problem="mail\.conf:1: HOSTNAME: /);
  assert.match(shown[1]!, /^problem="mail\.conf:6: unknown name NONSENSE/);
  assert.match(shown[2]!, /^problem="user\.conf:2: /);
  assert.equal(await greeting(daemon.port), "me.example");
  assert.match(await transaction(client, { to: ["smith@me.example"] }), /^250 /);
  client.close();
  await Deno.writeTextFile(`${daemon.folder}/mail.conf`, good);
  await reload(daemon, { mail: "HOSTNAME = new.example", users: "jones:mail/jones\n" });
  assert.equal(await greeting(daemon.port), "new.example");
  assert.equal((await daemon.stop()).code, 0);
});

Deno.test("another LISTEN_PORT is listened on, and the old port is left to its clients", async () => {
  await using daemon = await startDaemon();
  const client = await greetedClient(daemon.port);
  const port = freePort();
  assert.match(await reload(daemon, { mail: `LISTEN_PORT = ${port}` }), new RegExp(`:${port} `));
  assert.equal(await greeting(port), "me.example");
  await until("nobody listens", async () => !await listens(daemon.port));
  assert.match(await transaction(client, { to: ["jones@me.example"] }), /^250 /);
  client.close();
  // Once it is left it can be listened on again.
  await reload(daemon, { mail: `LISTEN_PORT = ${daemon.port}` });
  assert.equal(await greeting(daemon.port), "me.example");
  await until("nobody listens", async () => !await listens(port));
  assert.equal((await daemon.stop()).code, 0);
});

Deno.test("a LISTEN_PORT that another program has is refused, and the old one listened on still", async () => {
  await using daemon = await startDaemon();
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const line = await reload(daemon, { mail: `LISTEN_PORT = ${other.addr.port}` });
  assert.match(
    line,
    /refused problem="mail\.conf:\d: LISTEN_PORT: .*another program listens there/,
  );
  assert.equal(await greeting(daemon.port), "me.example");
  assert.equal((await daemon.stop()).code, 0);
});

Deno.test("another SPOOL_DIR needs a restart", async () => {
  await using daemon = await startDaemon();
  const change = { mail: "HOSTNAME = new.example\nSPOOL_DIR = other" };
  const line = await reload(daemon, change);
  assert.match(line, / error configuration refused problem="mail\.conf:6: SPOOL_DIR: .*\/spool /);
  assert.match(line, /needs a restart"$/);
  assert.equal(await greeting(daemon.port), "me.example");
  // Another name for the same one does not.
  await Deno.remove(`${daemon.folder}/other`, { recursive: true }).catch(() => {});
  await Deno.symlink("spool", `${daemon.folder}/other`);
  assert.match(await reload(daemon), / info reloaded /);
  assert.equal((await daemon.stop()).code, 0);
});

Deno.test("another LOG_FORMAT holds for the lines of all threads from then on", async () => {
  await using host = startRecordingServer();
  await using daemon = await startDaemon({ mail: host.setting });
  assert.match(await reload(daemon, { mail: "LOG_FORMAT = json" }), /^\{.*"event":"reloaded"/);
  const id = await submit(daemon.port, { to: ["jones@me.example", "fred@far.example"] });
  await emptied(daemon);
  assert.equal((await daemon.stop()).code, 0);
  const lines = daemon.log().split("\n").filter((line) => line.includes(id));
  const events = lines.map((line) => JSON.parse(line).event);
  // One of a receiver, one of the relay.
  for (const event of ["message delivered", "message sent"]) {
    assert.ok(events.includes(event), String(events));
  }
});

Deno.test("so does another LOG_LEVEL", async () => {
  await using daemon = await startDaemon();
  await rewrite(daemon, { mail: "LOG_LEVEL = error\nHOSTNAME = quiet.example" });
  daemon.process.kill("SIGHUP");
  const client = await until("a new greeting", async () => {
    const client = await RawClient.connect(daemon.port);
    if ((await client.reply())?.startsWith("220 quiet.example ")) return client;
    client.close();
    return undefined;
  });
  await client.command("EHLO client.example");
  const reply = await transaction(client, { to: ["jones@quiet.example"] });
  const [, id] = / stored as (\w+)$/.exec(reply) ?? [];
  client.close();
  assert.match(await reload(daemon, { mail: "LOG_LEVEL = info" }), / info reloaded /);
  assert.equal(outcomes(daemon).length, 1);
  assert.ok(id !== undefined && !daemon.log().includes(id));
  assert.equal((await daemon.stop()).code, 0);
});

Deno.test("what waits in the queue is there still, and goes out by the new configuration, once", async () => {
  await using host = startRecordingServer();
  await using daemon = await startDaemon({ mail: NOWHERE });
  const senders = ["a", "b", "c"].map((name) => `${name}@me.example`);
  for (const from of senders) await submit(daemon.port, { from, to: ["fred@far.example"] });
  await deferredIn(daemon);
  await reload(daemon, { mail: host.setting });
  await retryAll(daemon);
  await host.took(3);
  await emptied(daemon);
  assert.deepEqual(host.taken.map(({ from }) => from).sort(), senders.map((one) => `<${one}>`));
  assert.equal((await daemon.stop()).code, 0);
});

Deno.test("mail that waits for another host arrives here when its domain has become our own", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  await submit(daemon.port, { to: ["brown@far.example"] });
  await deferredIn(daemon);
  // A client of the old configuration, whose receiver does not know the user.
  const client = await greetedClient(daemon.port);
  await reload(daemon, { mail: "LOCAL_DOMAINS = far.example", users: "brown:mail/brown\n" });
  await retryAll(daemon);
  await emptied(daemon);
  assert.equal((await readMailbox(`${daemon.folder}/mail/brown`)).length, 1);
  client.close();
});

Deno.test("mail that waits for a mailbox that is away arrives where the user has moved to", async () => {
  await using daemon = await startDaemon({ mail: NOWHERE });
  await Deno.remove(`${daemon.folder}/mail/jones`, { recursive: true });
  await submit(daemon.port, { to: ["jones@me.example"] });
  await deferredIn(daemon);
  await reload(daemon, { users: "jones:new/jones\n" });
  await retryAll(daemon);
  await emptied(daemon);
  assert.equal((await readMailbox(`${daemon.folder}/new/jones`)).length, 1);
});

Deno.test("mail that comes in while it reloads again and again is neither refused nor lost nor doubled", async () => {
  await using host = startRecordingServer();
  await using daemon = await startDaemon({ mail: `${host.setting}\nWORKERS = 2` });
  let over = false;
  const send = async (...to: readonly string[]) => {
    let sent = 0;
    for (; !over; sent++) await submit(daemon.port, { to });
    return sent;
  };
  const sending = Promise.all([send("jones@me.example"), send("fred@far.example")]);
  const reloading = (async () => {
    for (let i = 0; i < 3; i++) {
      assert.match(await reload(daemon, { users: `jones:mail/jones\nu${i}:u\n` }), / reloaded /);
    }
    over = true;
  })();
  const [[here, elsewhere]] = await Promise.all([sending, reloading]);
  await emptied(daemon);
  assert.equal((await readMailbox(`${daemon.folder}/mail/jones`)).length, here);
  assert.equal(host.taken.length, elsewhere);
  assert.equal((await daemon.stop()).code, 0);
  assert.doesNotMatch(daemon.log(), / error /);
});
