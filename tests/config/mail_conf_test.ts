/** mail.conf as a file: its form, its presets from the system, and what is said when it is wrong. */

import assert from "node:assert/strict";
import { type MailConfFile, readMailConf, type SystemFacts } from "../../src/config/mail_conf.ts";
import { ConfigurationError, problemText } from "../../src/config/problem.ts";

const SYSTEM: SystemFacts = {
  hostName: () => "system.example",
  addresses: () => ["127.0.0.1", "::1"],
  stateDirectory: () => undefined,
};

async function read(content: string, system: Partial<SystemFacts> = {}): Promise<MailConfFile> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/mail.conf`, content);
    return await readMailConf(`${folder}/mail.conf`, { ...SYSTEM, ...system });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is wrong, each as `line: message`. */
async function problems(content: string, system: Partial<SystemFacts> = {}): Promise<string[]> {
  try {
    await read(content, system);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    assert.equal(error.message, error.problems.map(problemText).join("\n"));
    return error.problems.map((problem) => {
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(problem.message, /[\x00-\x1f\x7f]/, "one line, fit for a terminal");
      return `${problem.line ?? "-"}: ${problem.message}`;
    });
  }
  throw new assert.AssertionError({ message: `${JSON.stringify(content)} was read` });
}

Deno.test("pySMTPD's samples of a mail.conf are read as they are", async () => {
  const minimal = await read("HOSTNAME = myemail.com \nLISTEN_ADDR = 0.0.0.0\n\n");
  assert.equal(minimal.conf.HOSTNAME, "myemail.com");
  assert.deepEqual(minimal.conf.LISTEN_ADDR, ["0.0.0.0"]);
  assert.equal((await read("HOSTNAME = [109.43.197.25]")).conf.HOSTNAME, "[109.43.197.25]");
});

Deno.test("all six of pySMTPD's variables are read, in any order and with any blanks", async () => {
  const { conf } = await read(
    "CLIENT_TIMEOUT=100\n  MAX_CLIENTS\t=\t10  \n\nLISTEN_PORT =2525\nRELAY_PORT= 25\n" +
      "LISTEN_ADDR = 127.0.0.1\n\t\nHOSTNAME = me.example",
  );
  assert.equal(conf.CLIENT_TIMEOUT, 100);
  assert.equal(conf.MAX_CLIENTS, 10);
  assert.equal(conf.LISTEN_PORT, 2525);
  assert.equal(conf.RELAY_PORT, 25);
  assert.deepEqual(conf.LISTEN_ADDR, ["127.0.0.1"]);
  assert.equal(conf.HOSTNAME, "me.example");
});

Deno.test("lines are told for the variables that are set, and for them alone", async () => {
  const { lines } = await read("# x\nLISTEN_PORT = 1\n\nHOSTNAME = a\n");
  assert.deepEqual([...lines], [["LISTEN_PORT", 2], ["HOSTNAME", 4]]);
});

Deno.test("comments, CR LF and a byte order mark do no harm", async () => {
  const { conf } = await read(
    "\ufeff# a comment\r\nHOSTNAME = me.example # its name\r\n\r\nLISTEN_PORT = 2525\r\n",
  );
  assert.equal(conf.HOSTNAME, "me.example");
  assert.equal(conf.LISTEN_PORT, 2525);
});

Deno.test("a value may hold =, # and blanks", async () => {
  const { conf } = await read("SPOOL_DIR = /a = b#c d\n");
  assert.equal(conf.SPOOL_DIR, "/a = b#c d");
});

Deno.test("the spool is in systemd's state directory where there is one", async () => {
  const stateDirectory = () => "/var/lib/x";
  assert.equal((await read("", { stateDirectory })).conf.SPOOL_DIR, "/var/lib/x/spool");
  assert.equal((await read("SPOOL_DIR = /y", { stateDirectory })).conf.SPOOL_DIR, "/y");
  assert.equal((await read("", { stateDirectory: () => "" })).conf.SPOOL_DIR, "spool");
});

Deno.test("a host name of the system that is none is told to be set", async () => {
  const hostName = () => "my_machine";
  assert.deepEqual(await problems("LISTEN_PORT = 25\n", { hostName }), [
    '-: HOSTNAME: "my_machine" is no domain name or [address] (not set here)',
  ]);
  assert.equal((await read("HOSTNAME = me.example", { hostName })).conf.HOSTNAME, "me.example");
});

const UNKNOWN: readonly (readonly [name: string, nearest: string])[] = [
  ["HOST_NAME", "HOSTNAME"],
  ["hostname", "HOSTNAME"],
  ["LISTEN_ADRR", "LISTEN_ADDR"],
  ["LISTENPORT", "LISTEN_PORT"],
  ["MAX_CLIENT", "MAX_CLIENTS"],
  ["CLIENTS_TIMEOUT", "CLIENT_TIMEOUT"],
  ["LOCAL_DOMAIN", "LOCAL_DOMAINS"],
  ["RELAYFROM", "RELAY_FROM"],
  ["TLS_CERTS", "TLS_CERT"],
];

for (const [name, nearest] of UNKNOWN) {
  Deno.test(`unknown name ${name}: ${nearest} is suggested`, async () => {
    assert.deepEqual(await problems(`\n${name} = x\n`), [
      `2: unknown name ${name}, did you mean ${nearest}?`,
    ]);
  });
}

Deno.test("names that every object has are unknown", async () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    const [problem] = await problems(`${name} = x\n`);
    assert.equal(problem, `1: unknown name ${name}, the names there are stand in README.md`);
  }
});

Deno.test("what is not NAME = value is told so", async () => {
  for (const line of ["HOSTNAME", "HOSTNAME me.example", "= x", "HOST NAME = x", "[section]"]) {
    assert.deepEqual(await problems(`\n\n${line}\n`), [
      "3: is not of the form NAME = value",
    ]);
  }
});

Deno.test("a variable is set once", async () => {
  assert.deepEqual(await problems("LISTEN_PORT = 1\n\nLISTEN_PORT = 1\nLISTEN_PORT = 2\n"), [
    "3: LISTEN_PORT is set already in line 1",
    "4: LISTEN_PORT is set already in line 1",
  ]);
  // Also where the first one was wrong.
  const [first, second] = await problems("LISTEN_PORT = x\nLISTEN_PORT = 2\n");
  assert.match(first!, /^1: LISTEN_PORT: "x" is no whole number/);
  assert.equal(second, "2: LISTEN_PORT is set already in line 1");
});

Deno.test("everything that is wrong is told at once, in the order of the lines", async () => {
  const found = await problems("HOSTNAME = a_b\nNONSENSE\nWORKERS = 0\nLISTEN_PROT = 1\n");
  assert.deepEqual(found.map((problem) => problem.slice(0, 2)), ["1:", "2:", "3:", "4:"]);
});

const CERT = "TLS_CERT = c\nTLS_KEY = k\n";

const CONTRADICTIONS: readonly (readonly [content: string, ...problems: string[]])[] = [
  ["TLS_CERT = c\n", "1: TLS_CERT: needs TLS_KEY beside it"],
  ["\nTLS_KEY = k\n", "2: TLS_KEY: needs TLS_CERT beside it"],
  ["SUBMISSION_PORT = 587\n", "1: SUBMISSION_PORT: needs TLS_CERT and TLS_KEY"],
  ["SUBMISSIONS_PORT = 465\n", "1: SUBMISSIONS_PORT: needs TLS_CERT and TLS_KEY"],
  [`${CERT}SUBMISSION_PORT = 25\n`, "3: SUBMISSION_PORT: port 25 is LISTEN_PORT already"],
  [
    `${CERT}SUBMISSION_PORT = 587\nSUBMISSIONS_PORT = 587\n`,
    "4: SUBMISSIONS_PORT: port 587 is SUBMISSION_PORT already",
  ],
  [
    `LISTEN_PORT = 465\n${CERT}SUBMISSIONS_PORT = 465\n`,
    "4: SUBMISSIONS_PORT: port 465 is LISTEN_PORT already",
  ],
  [
    "MAX_CLIENTS = 3\nWORKERS = 4\n",
    "2: WORKERS: 4 threads are more than the 3 of MAX_CLIENTS",
  ],
];

for (const [content, ...expected] of CONTRADICTIONS) {
  Deno.test(`contradiction: ${expected.join("; ")}`, async () => {
    assert.deepEqual(await problems(content), expected);
  });
}

Deno.test("what goes together is read", async () => {
  const { conf } = await read(
    `${CERT}LISTEN_PORT = 0\nSUBMISSION_PORT = 587\nSUBMISSIONS_PORT = 465\n`,
  );
  assert.equal(conf.SUBMISSION_PORT, 587);
  assert.equal(conf.SUBMISSIONS_PORT, 465);
});

Deno.test("each of the WORKERS may have one of MAX_CLIENTS", async () => {
  const { conf } = await read("WORKERS = 4\nMAX_CLIENTS = 4\n");
  assert.deepEqual([conf.WORKERS, conf.MAX_CLIENTS], [4, 4]);
});

Deno.test("control characters in the file never reach the message", async () => {
  for (const line of ["\x1b[2J", "\x1b[2J = x", "LISTEN_PORT = \x1b[2J", "LISTEN_PORT\r= 1\r= 2"]) {
    assert.equal((await problems(`${line}\n`)).length, 1, JSON.stringify(line));
  }
});

Deno.test("RELAY_HOST is not where this very server listens", async () => {
  const own = "RELAY_HOST: is this server itself, mail would never leave it";
  for (
    const lines of [
      "RELAY_HOST = 127.0.0.1",
      "LISTEN_PORT = 2525\nRELAY_HOST = 127.0.0.1:2525",
      "LISTEN_PORT = 2525\nRELAY_PORT = 2525\nRELAY_HOST = 127.0.0.1",
      "LISTEN_ADDR = 192.0.2.1, ::1\nRELAY_HOST = [::1]",
      "LISTEN_ADDR = 0.0.0.0\nRELAY_HOST = 127.0.0.2:25",
      "LISTEN_ADDR = ::\nRELAY_HOST = [::1]",
    ]
  ) {
    const last = lines.split("\n").length;
    assert.deepEqual(await problems(`${lines}\n`), [`${last}: ${own}`]);
  }
  for (const other of ["127.0.0.2", "127.0.0.1:26", "mx.example"]) {
    await read(`RELAY_HOST = ${other}\n`);
  }
});

Deno.test("the configuration can be sent to a worker", async () => {
  const { conf } = await read("RELAY_HOST = mx.example\nRELAY_TLS_FOR = a.example:verify\n");
  assert.deepEqual(structuredClone(conf), conf);
});

Deno.test("a file that is not there is told by its name", async () => {
  await assert.rejects(readMailConf("/nonexistent/mail.conf", SYSTEM), (error) => {
    assert.ok(error instanceof ConfigurationError);
    assert.equal(error.message, "/nonexistent/mail.conf: there is no such file");
    return true;
  });
});
