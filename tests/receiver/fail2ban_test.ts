/** The filter for Fail2Ban, tried by Fail2Ban itself on lines as the log writes them. */

import assert from "node:assert/strict";
import { type Format, startLog } from "../../src/log.ts";
import { makeFolder } from "../support/folder.ts";
import { LoginDesk } from "../support/login_desk.ts";
import { run, succeed, testWith } from "../support/programs.ts";

const FILTER = new URL("../../conf/denosmtpd.fail2ban.conf", import.meta.url).pathname;
const decoder = new TextDecoder();

/** What a client says, and the address that it comes from. */
type Guess = readonly [name: string, address: string];

/** Names that want to be taken for something else. */
const HOSTILE = [
  "",
  " ",
  "peer=198.51.100.1:25 user=x",
  '" peer=198.51.100.1:25 user="x',
  '","level":"warn","event":"login failed","peer":"198.51.100.1:25","user":"x',
  "x\nwarn login failed peer=198.51.100.1:25 user=x",
  "x\r\n2026-11-22T12:00:00.000Z warn login failed peer=198.51.100.1:25 user=x",
  "\u2028\u0085\x0b2026-11-22T12:00:00.000Z warn login failed peer=198.51.100.1:25 user=x",
  '{"time":"2026-11-22T12:00:00.000Z","level":"warn","event":"login failed"}',
  "2001-01-01 00:00:00 1999-12-31T23:59:59Z",
  "198.51.100.1",
  "<ADDR>",
  "jörg\u202e\ud83d\ude00\ud800",
  "\\",
  "x".repeat(1000),
];

/** What the log has of these guesses, each failed by a login of its own. */
async function linesOf(format: Format, guesses: readonly Guess[]): Promise<string[]> {
  const desk = new LoginDesk(["john"]);
  for (const [i, [name, address]] of guesses.entries()) {
    const { kind } = await desk.outcome(name, `guess ${i}`, address);
    assert.equal(kind, "refused");
    desk.clock.advance(15 * 60_000);
  }
  return written(format, desk);
}

function written(format: Format, { log }: LoginDesk): string[] {
  const lines: string[] = [];
  const real = startLog("debug", format, (line) => lines.push(line));
  for (const { level, event, fields } of log.all) real[level](event, fields);
  return lines;
}

/** The addresses that Fail2Ban finds in these lines, in order. `options` go before them. */
async function found(lines: readonly string[], options: readonly string[] = []): Promise<string[]> {
  await using folder = await makeFolder();
  const file = `${folder.path}/denosmtpd.log`;
  await Deno.writeTextFile(file, lines.join(""));
  const { output } = await run("fail2ban-regex", [...options, "-o", "<ip>", file, FILTER]);
  return decoder.decode(output).split("\n").filter((line) => line !== "");
}

/** How the lines come to Fail2Ban: what is in front of each, and its options. */
const WAYS: readonly (readonly [way: string, front: string, options: readonly string[]])[] = [
  ["a file", "", []],
  // The time comes beside the line, which is the host, the program and our own line.
  ["the journal", "mail denosmtpd[4711]: ", ["-d", "{NONE}"]],
  ["syslog", "Nov 22 12:00:00 mail denosmtpd[4711]: ", []],
  ["syslog with RFC 3339's time", "2026-11-22T12:00:00.000000+01:00 mail denosmtpd[4711]: ", []],
];

for (const format of ["text", "json"] as const) {
  for (const [way, front, options] of WAYS) {
    const read = (lines: readonly string[]) => found(lines.map((line) => front + line), options);

    testWith(
      ["fail2ban-regex"],
      `${format} from ${way}: the address of each failed login`,
      async () => {
        const lines = await linesOf(format, [
          ["john", "192.0.2.1"],
          ["mary@me.example", "2001:db8::1"],
          ["john smith", "192.0.2.255"],
          ["john", "2001:db8:1:2:3:4:5:6"],
        ]);
        assert.deepEqual(await read(lines), [
          "192.0.2.1",
          "2001:db8::1",
          "192.0.2.255",
          "2001:db8:1:2:3:4:5:6",
        ]);
      },
    );

    testWith(
      ["fail2ban-regex"],
      `${format} from ${way}: no name leads to another's address`,
      async () => {
        const lines = await linesOf(format, HOSTILE.map((name) => [name, "192.0.2.1"]));
        assert.equal(lines.length, HOSTILE.length);
        assert.deepEqual(await read(lines), HOSTILE.map(() => "192.0.2.1"));
      },
    );
  }

  testWith(["fail2ban-regex"], `${format}: nobody is banned for anything else`, async () => {
    const desk = new LoginDesk(["john"]);
    await desk.outcome("john", "old", "192.0.2.1");
    // A phone with an old password, a login, and who is held off already.
    await desk.outcome("john", "old", "192.0.2.1");
    await desk.outcome("john", "secret", "192.0.2.2");
    for (let i = 0; i < 10; i++) await desk.outcome("jack", `${i}`, "192.0.2.3");
    await desk.outcome("jack", "last", "192.0.2.3");
    // The same words in what clients say elsewhere.
    for (const name of HOSTILE) {
      desk.log.info("recipient refused", { peer: "192.0.2.4:25", to: `${name} login failed` });
      desk.log.warn("connection refused", { reason: name });
      desk.log.warn("login refused", { peer: "192.0.2.4:25", user: name });
      desk.log.debug(`warn login failed`, { peer: "192.0.2.4:25", user: name });
    }
    const lines = written(format, desk);
    const counted = await found(lines);
    assert.deepEqual(counted, ["192.0.2.1", ...Array<string>(10).fill("192.0.2.3")]);
  });
}

testWith(["fail2ban-regex"], "the time is the line's own, in UTC", async () => {
  await using folder = await makeFolder();
  const file = `${folder.path}/denosmtpd.log`;
  for (const format of ["text", "json"] as const) {
    const [line = ""] = await linesOf(format, [["john", "192.0.2.1"]]);
    const time = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(line)?.[0] ?? "";
    await Deno.writeTextFile(file, line);
    const output = await succeed("fail2ban-regex", ["-o", "<time>", file, FILTER], {
      env: { TZ: "Asia/Kolkata" },
    });
    assert.equal(Number(decoder.decode(output)), Math.floor(Date.parse(time) / 1000), format);
  }
});

testWith(
  ["fail2ban-client"],
  "the jail in the filter's comment is one that Fail2Ban takes",
  async () => {
    await using folder = await makeFolder();
    await succeed("cp", ["-r", "/etc/fail2ban/.", folder.path]);
    const text = await Deno.readTextFile(FILTER);
    const jail = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, line]) => line);
    assert.equal(jail.length, 5);
    await Deno.writeTextFile(`${folder.path}/filter.d/denosmtpd.conf`, text);
    await Deno.writeTextFile(`${folder.path}/jail.d/denosmtpd.conf`, jail.join("\n"));
    const output = decoder.decode(await succeed("fail2ban-client", ["-c", folder.path, "-d"]));
    assert.match(output, /^\['add', 'denosmtpd', 'systemd'\]$/m);
    assert.match(
      output,
      /^\['set', 'denosmtpd', 'addjournalmatch', '_SYSTEMD_UNIT=denosmtpd.service'\]$/m,
    );
    assert.match(output, /^\['start', 'denosmtpd'\]$/m);
  },
);
