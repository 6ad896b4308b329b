/** `check` as a whole: what it prints, its exit codes, and that it leaves no trace. */

import assert from "node:assert/strict";
import { namesIn } from "../support/names_in.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { run } from "../support/run.ts";

/** Nobody is asked about names. */
const NO_DNS = "NAME_SERVER = 127.0.0.1:1\n";

async function check(
  mail: string,
  options: readonly string[] = [],
  under: readonly string[] = [],
): Promise<{ code: number; out: string; err: string; left: string[] }> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/mail.conf`, `${NO_DNS}${mail}`);
    await Deno.writeTextFile(`${folder}/user.conf`, "john:mail/john\njack:jane@other.example\n");
    const words = ["check", "mail.conf", "user.conf", ...options];
    return { ...await run(words, { cwd: folder, under }), left: await namesIn(folder) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a good configuration is called good, and no directory is made", async () => {
  const { code, out, err, left } = await check("HOSTNAME = me.example\nLISTEN_PORT = 0\n");
  assert.deepEqual([code, err], [0, ""]);
  const lines = out.trimEnd().split("\n");
  const has = (line: RegExp) => assert.ok(lines.some((one) => line.test(one)), `${line}\n${out}`);
  has(/^note {3}john: \/.*\/mail\/john$/);
  has(/^note {3}jack: forwards to jane@other\.example$/);
  has(/^ok {5}port 0: 127\.0\.0\.1:0 can be listened on$/);
  has(/^note {3}host name and MX: not needed, only this machine itself is listened to$/);
  has(/^note {3}port 25 outward: not tried, denosmtpd check --connect does$/);
  assert.match(lines.at(-1) ?? "", /^good/);
  assert.deepEqual(left, ["mail.conf", "user.conf"]);
});

Deno.test("a name server that cannot be reached is told once, and is no finding", async () => {
  const { code, out } = await check(
    "HOSTNAME = me.example\nLOCAL_DOMAINS = a.example\nLISTEN_ADDR = 0.0.0.0\nLISTEN_PORT = 0\n",
  );
  assert.equal(code, 0);
  assert.equal(
    out.match(/no name server answers: 127\.0\.0\.1:1 \(connection refused\)/g)?.length,
    1,
  );
  assert.match(out, /^\? {6}DNS: /m);
  assert.match(out, /^good, \d not known\n$/m);
});

const NOTES: readonly (readonly [what: string, setting: string, note: RegExp])[] = [
  [
    "a host name that nobody can look up",
    "HOSTNAME = me",
    /^note {3}HOSTNAME: it is me, which other hosts cannot look up$/m,
  ],
  [
    "a server that relays for the whole world",
    "HOSTNAME = me.example\nRELAY_FROM = 127.0.0.1, 0.0.0.0/0",
    /^note {3}RELAY_FROM: it lets everybody send to everybody through this server$/m,
  ],
  [
    "a relay, which others see instead",
    "HOSTNAME = me.example\nRELAY_HOST = relay.example",
    /^note {3}PTR, SPF and DMARC: not checked, others see relay\.example \(RELAY_HOST\)$/m,
  ],
];

for (const [what, setting, note] of NOTES) {
  Deno.test(`told, and no finding: ${what}`, async () => {
    const { code, out } = await check(`LISTEN_PORT = 0\n${setting}\n`);
    assert.equal(code, 0, out);
    assert.match(out, note);
    const { out: without } = await check("LISTEN_PORT = 0\nHOSTNAME = me.example\n");
    assert.doesNotMatch(without, note);
  });
}

Deno.test("--json prints one document and nothing else", async () => {
  const { code, out, err } = await check("HOSTNAME = me.example\nLISTEN_PORT = 0\n", ["--json"]);
  assert.deepEqual([code, err], [0, ""]);
  const report = JSON.parse(out);
  assert.match(report.version, /^\d/);
  assert.equal(report.host, "me.example");
  assert.deepEqual(report.problems, []);
  assert.ok(report.findings.some(({ about }: { about: string }) => about === "port 0"));
});

Deno.test("--json tells what makes a configuration unusable, and exits 2", async () => {
  const { code, out, err } = await check("LISTEN_PORT = many\n", ["--json"]);
  assert.deepEqual([code, err], [2, ""]);
  const { findings, problems, host } = JSON.parse(out);
  assert.deepEqual([findings, host, problems.length], [[], null, 1]);
  assert.equal(problems[0].file, "mail.conf");
  assert.equal(problems[0].line, 2);
  assert.match(problems[0].message, /^LISTEN_PORT: "many" is no whole number/);
});

Deno.test("--connect belongs to check alone", async () => {
  const { code, err } = await run(["a", "b", "--connect"]);
  assert.deepEqual([code, err], [2, "denosmtpd: --connect is for check (see denosmtpd --help)\n"]);
});

/** Why nobody here can be kept from ports below 1024. */
function noPrivilegedPorts(): string | undefined {
  // Deno itself may not read there, whatever it is granted.
  const file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  const { stdout } = new Deno.Command("cat", { args: [file] }).outputSync();
  const first = Number(new TextDecoder().decode(stdout));
  if (first <= 25) return `port 25 needs no right here, ports from ${first} are everybody's`;
  return missingOrNotRoot(["setpriv"]);
}

Deno.test({
  ...skippable("without the right to listen below 1024 all else is checked", noPrivilegedPorts()),
  fn: async () => {
    const under = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"];
    const { code, out, err } = await check("HOSTNAME = me.example\nLISTEN_PORT = 25\n", [], under);
    assert.deepEqual([code, err], [0, ""], out);
    assert.match(out, /^\? {6}port 25: 127\.0\.0\.1:25 cannot be tried by this user: /m);
    assert.match(out, /^note {3}host name and MX: /m);
  },
});
