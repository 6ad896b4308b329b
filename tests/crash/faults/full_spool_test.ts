/** The queue's disk is full, at every step of a message: nothing is lost, and it goes on by itself. */

import assert from "node:assert/strict";
import { type Daemon, readMailbox, startDaemon } from "../../support/daemon.ts";
import { namesIn } from "../../support/names_in.ts";
import { type RecordingServer, startRecordingServer } from "../../support/recording_server.ts";
import { envelope, greetedClient, submit, transaction } from "../../support/submit.ts";
import { loggedLine, until } from "../../support/until.ts";
import { deferredIn, emptied, queue } from "../../support/waiting.ts";
import { faster, noOtherTime } from "./fast_clock.ts";
import { makeDisk, type SmallDisk, testWithDisks } from "./small_disk.ts";

const FAR = "fred@far.example";
const FULL = /^452 4\.3\.1 /;

/** A daemon whose queue is on this disk, and whose mailboxes are not; it sends everything to the host. */
function daemonOn(
  disk: SmallDisk,
  host: RecordingServer,
  { settings = "", under = [] }: { settings?: string; under?: readonly string[] } = {},
): Promise<Daemon> {
  const mail = `SPOOL_DIR = ${disk.path}/spool\n${host.setting}\n${settings}`;
  return startDaemon({ mail, under });
}

const mailboxOf = ({ folder }: Daemon) => `${folder}/mail/jones`;

async function nothingKept(disk: SmallDisk, daemon: Daemon): Promise<void> {
  for (const part of ["queue", "tmp"]) {
    assert.deepEqual(await namesIn(`${disk.path}/spool/${part}`), [], part);
  }
  for (const part of ["tmp", "new"]) {
    assert.deepEqual(await namesIn(`${mailboxOf(daemon)}/${part}`), [], part);
  }
}

function linesWith(daemon: Daemon, text: string): string[] {
  return daemon.log().split("\n").filter((line) => line.includes(text));
}

/** Asks anew each time, as the disk is not looked at for every client. */
function mailSays({ port }: Daemon, pattern: RegExp, from = "jones@me.example"): Promise<boolean> {
  return until(`MAIL says ${pattern}`, async () => {
    const client = await greetedClient(port);
    const reply = await client.command(`MAIL FROM:<${from}>`);
    client.close();
    return pattern.test(reply ?? "");
  });
}

testWithDisks(
  "little room: MAIL says 452, what is there goes on, and with room all does",
  async () => {
    let answer = "450 4.2.0 Later";
    await using host = startRecordingServer({
      reply: (command) => command.startsWith("RCPT") ? answer : undefined,
    });
    await using disk = await makeDisk("size=8m");
    await using daemon = await daemonOn(disk, host, { settings: "MIN_FREE = 25%" });
    const id = await submit(daemon.port, { to: [FAR] });
    await deferredIn(daemon);
    await disk.fill(1024 ** 2);
    for (const from of ["jones@me.example", ""]) await mailSays(daemon, FULL, from);
    // The relay has the reserve, and so has the report.
    answer = "550 5.1.1 Nobody";
    assert.equal((await queue(daemon, "retry", id)).code, 0);
    await daemon.logged("message returned");
    await until("the report", async () => (await readMailbox(mailboxOf(daemon))).length === 1);
    answer = "250 2.1.5 OK";
    await disk.clear();
    await mailSays(daemon, /^250 /);
    await submit(daemon.port, { to: [FAR] });
    await host.took(1);
    const [begin = "", ...moreBegins] = linesWith(daemon, " warn disk nearly full ");
    assert.match(begin, / directory=\/\S+\/spool\/queue free=1048576 least=2097152$/);
    assert.equal(moreBegins.length, 0);
    assert.equal(linesWith(daemon, " info disk has room again ").length, 1);
    assert.match(linesWith(daemon, " info sender refused ")[0] ?? "", / reply="452 4\.3\.1 /);
  },
);

for (const size of [2_000, 200_000]) {
  const text = `${"x".repeat(98)}\r\n`.repeat(size / 100);
  const to = ["jones@me.example", FAR];

  testWithDisks(
    `no room since MAIL, for a text of ${size}: 452, and the next one is stored`,
    async () => {
      await using host = startRecordingServer();
      await using disk = await makeDisk("size=2m");
      await using daemon = await daemonOn(disk, host);
      const client = await greetedClient(daemon.port);
      assert.match(await client.command("MAIL FROM:<a@b.example>") ?? "", /^250 /);
      await disk.fill();
      for (const one of to) assert.match(await client.command(`RCPT TO:<${one}>`) ?? "", /^250 /);
      assert.match(await client.command("DATA") ?? "", /^354 /);
      assert.match(await client.command(`${text}.`) ?? "", FULL);
      await nothingKept(disk, daemon);
      await daemon.logged(" error message refused ");
      const [line = "", ...more] = linesWith(daemon, " error message refused ");
      assert.match(line, / reply="452 4\.3\.1 .* error="Error: No space left on device /);
      assert.equal(more.length, 0);
      await disk.clear();
      assert.match(await transaction(client, { to, text }), /^250 /);
      await host.took(1);
      client.close();
    },
  );

  testWithDisks(
    `no room within a text of ${size}: 452 at its end, and the next one is stored`,
    async () => {
      await using host = startRecordingServer();
      await using disk = await makeDisk("size=2m");
      await using daemon = await daemonOn(disk, host);
      const client = await greetedClient(daemon.port);
      await envelope(client, { to });
      const half = text.slice(0, text.length / 2);
      await client.send(half);
      if (size > 128 * 1024) {
        // What is too long for memory is in a file by now.
        await until("a file", async () => (await namesIn(`${disk.path}/spool/tmp`)).length > 0);
      }
      await disk.fill();
      assert.match(await client.command(`${text.slice(text.length / 2)}.`) ?? "", FULL);
      await nothingKept(disk, daemon);
      await disk.clear();
      assert.match(await transaction(client, { to, text }), /^250 /);
      await host.took(1);
      assert.equal((await readMailbox(mailboxOf(daemon))).length, 1);
      client.close();
    },
  );
}

testWithDisks(
  "room for the text but not for its envelope: 452, and nothing of it is kept",
  async () => {
    await using host = startRecordingServer();
    await using disk = await makeDisk("size=2m");
    await using daemon = await daemonOn(disk, host);
    const client = await greetedClient(daemon.port);
    await disk.fill(4096);
    // With its trace it has room there, and the envelope has not.
    const text = `${"x".repeat(98)}\r\n`.repeat(38);
    assert.match(await transaction(client, { to: ["jones@me.example", FAR], text }), FULL);
    await nothingKept(disk, daemon);
    await disk.clear();
    assert.match(await transaction(client, { to: [FAR] }), /^250 /);
    await host.took(1);
    client.close();
  },
);

testWithDisks(
  "people look at the queue of a full disk, and make room by removing a message",
  async () => {
    await using host = startRecordingServer({
      reply: (command) => command.startsWith("RCPT") ? "450 4.2.0 Later" : undefined,
    });
    await using disk = await makeDisk("size=2m");
    await using daemon = await daemonOn(disk, host);
    const [one, other] = [
      await submit(daemon.port, { to: [FAR] }),
      await submit(daemon.port, { to: [FAR] }),
    ];
    await deferredIn(daemon);
    await disk.fill();
    assert.match((await queue(daemon, "list")).out, new RegExp(`${one}[^]*${other}`));
    assert.match((await queue(daemon, "show", one)).out, /450 4\.2\.0 Later/);
    assert.equal((await queue(daemon, "remove", one)).code, 0);
    assert.deepEqual(await namesIn(`${disk.path}/spool/queue`), [`${other}.eml`, `${other}.json`]);
    assert.deepEqual(await namesIn(`${disk.path}/spool/requests`), []);
  },
);

/** Told what the relay says, a host may fill a disk before it answers. */
type Answer = (command: string) => string | undefined | Promise<string | undefined>;

/** A daemon to which a minute is two seconds, so that what it does by itself can be waited for. */
async function inHaste(
  reply: Answer,
  act: (disk: SmallDisk, daemon: Daemon, host: RecordingServer) => Promise<void>,
  disk: SmallDisk,
): Promise<void> {
  await using host = startRecordingServer({ reply });
  const settings = "RETRY_DELAYS = 1m\nCLIENT_TIMEOUT = 1h";
  await using daemon = await daemonOn(disk, host, { settings, under: faster(30) });
  await act(disk, daemon, host);
}

function testInHaste(name: string, fn: (disk: SmallDisk) => Promise<void>): void {
  testWithDisks(name, async () => {
    await using disk = await makeDisk("size=2m");
    await fn(disk);
  }, noOtherTime);
}

testInHaste(
  "an attempt that cannot be recorded is not made, and made when there is room",
  (disk) => {
    let answer: string | undefined = "450 4.2.0 Later";
    const reply: Answer = (command) => command.startsWith("RCPT") ? answer : undefined;
    return inHaste(reply, async (disk, daemon, host) => {
      const id = await submit(daemon.port, { to: [FAR] });
      await deferredIn(daemon);
      // A journal has room for lines in the block that it has taken.
      await until("the end of the journal", async () => {
        return !(await namesIn(`${disk.path}/spool`)).some((name) => name.startsWith("journal-"));
      });
      await disk.fill();
      const { length } = host.conversations;
      answer = undefined;
      await loggedLine(daemon, " error queue trouble ", `id=${id}`, "No space left");
      assert.equal(host.conversations.length, length);
      await disk.clear();
      await host.took(1);
      await emptied({ folder: disk.path });
    }, disk);
  },
);

testInHaste("a report that cannot be written is written when there is room, once", (disk) => {
  const reply: Answer = async (command) => {
    if (!command.startsWith("RCPT")) return undefined;
    await disk.fill();
    return "550 5.1.1 Nobody";
  };
  return inHaste(reply, async (disk, daemon, host) => {
    const id = await submit(daemon.port, { to: [FAR] });
    await loggedLine(daemon, " error queue trouble ", `id=${id}`, "No space left");
    await disk.clear();
    await loggedLine(daemon, " info message returned ", `id=${id}`);
    await emptied({ folder: disk.path });
    assert.equal((await readMailbox(mailboxOf(daemon))).length, 1);
    assert.equal(host.conversations.length, 1);
  }, disk);
});

testInHaste("an outcome that cannot be recorded is remembered: nobody gets it twice", (disk) => {
  let times = 0;
  const reply: Answer = async (command) => {
    if (command.startsWith("RCPT TO:<late@") && times++ === 0) return "450 4.2.0 Later";
    if (command === "." && times === 1) await disk.fill();
    return undefined;
  };
  return inHaste(reply, async (disk, daemon, host) => {
    await submit(daemon.port, { to: [FAR, "late@far.example"] });
    await daemon.logged("error queue trouble");
    await disk.clear();
    await host.took(2);
    await emptied({ folder: disk.path });
    assert.deepEqual(host.taken.map(({ to }) => to), [[`<${FAR}>`], ["<late@far.example>"]]);
  }, disk);
});
