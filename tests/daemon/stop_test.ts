/** The whole daemon's start and end, as whoever runs it sees them. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { RawClient } from "../support/raw_client.ts";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal}: 421 to an idle client, a last line in the log, exit code 0`, async () => {
    await using daemon = await startDaemon();
    const client = await RawClient.connect(daemon.port);
    assert.match(await client.reply() ?? "", /^220 /);
    daemon.process.kill(signal);
    assert.match(await client.reply() ?? "", /^421 4\.3\.2 me\.example /);
    assert.equal(await client.line(), null);
    client.close();
    assert.equal((await daemon.process.status).code, 0);
    await daemon.logged(" info stopped");
    assert.match(daemon.log(), new RegExp(` info stopping signal=${signal}\n`));
  });
}

Deno.test("a second signal does not wait for a text that is coming in", async () => {
  await using daemon = await startDaemon();
  const client = await RawClient.connect(daemon.port);
  await client.reply();
  for (const line of ["HELO a.example", "MAIL FROM:<>", "RCPT TO:<jones@me.example>", "DATA"]) {
    assert.match(await client.command(line) ?? "", /^(250|354) /);
  }
  daemon.process.kill("SIGTERM");
  await daemon.logged("stopping");
  daemon.process.kill("SIGTERM");
  assert.equal((await daemon.process.status).code, 1);
  client.close();
});

Deno.test("what a crash left under tmp is swept at the next start", async () => {
  await using daemon = await startDaemon();
  const mailbox = `${daemon.folder}/mail/jones`;
  const names = ["1.M0P1Q1R00000000.me.example", "1.M0P1.elsewhere"];
  for (const name of names) await Deno.writeTextFile(`${mailbox}/tmp/${name}`, "half");
  await daemon.stop();
  await using again = await startDaemon({ users: `jones:${mailbox}` });
  const left: string[] = [];
  for await (const { name } of Deno.readDir(`${mailbox}/tmp`)) left.push(name);
  assert.deepEqual(left, ["1.M0P1.elsewhere"]);
  assert.equal((await again.stop()).code, 0);
});

Deno.test("LOG_FORMAT = json logs one object in each line", async () => {
  await using daemon = await startDaemon({ mail: "LOG_FORMAT = json\nLISTEN_PORT = 0" });
  await daemon.stop();
  const events = daemon.log().trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(events.map(({ event }) => event), ["started", "stopping", "stopped"]);
  assert.equal(events[0].host, "me.example");
});
