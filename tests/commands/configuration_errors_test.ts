/** A wrong configuration ends `serve` and `check` with exit code 2 and one clear line for each fault. */

import assert from "node:assert/strict";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { run } from "../support/run.ts";

interface Fault {
  readonly what: string;
  readonly mail?: string;
  readonly users?: string;
  /** What each line says after `denosmtpd: `. */
  readonly lines: readonly RegExp[];
  readonly under?: readonly string[];
}

const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const TAKEN = taken.addr.port;
taken.close();

const FAULTS: readonly Fault[] = [
  {
    what: "an unknown name",
    mail: "HOSTNAM = me.example",
    lines: [/^mail\.conf:1: unknown name HOSTNAM, did you mean HOSTNAME\?$/],
  },
  {
    what: "a bad number",
    mail: "HOSTNAME = me.example\nLISTEN_PORT = many",
    lines: [/^mail\.conf:2: LISTEN_PORT: "many" is no whole number from 0 to 65535$/],
  },
  {
    what: "several faults at once",
    mail: "MAX_CLIENTS = 0\nLISTEN_ADDR = here\nnonsense\nMAX_CLIENTS = 5",
    lines: [
      /^mail\.conf:1: MAX_CLIENTS: /,
      /^mail\.conf:2: LISTEN_ADDR: /,
      /^mail\.conf:3: /,
      /^mail\.conf:4: .*line 1$/,
    ],
  },
  {
    what: "a missing file",
    mail: "HOSTNAME = me.example\nTLS_CERT = none.pem\nTLS_KEY = none.key",
    lines: [
      /^mail\.conf:2: TLS_CERT: none\.pem: there is no such file$/,
      /^mail\.conf:3: TLS_KEY: /,
    ],
  },
  {
    what: "a bad user",
    mail: "HOSTNAME = me.example",
    users: "john\njack:mail/jack\njack:mail/jack",
    lines: [
      /^user\.conf:1: is not of the form /,
      /^user\.conf:3: jack stands already in line 2$/,
    ],
  },
  {
    what: "a forward to nobody",
    mail: "HOSTNAME = me.example",
    users: "john:jack@me.example",
    lines: [/^user\.conf:1: john: forwards to jack@me\.example, but there is no such user$/],
  },
  {
    what: "a directory below a file",
    mail: "HOSTNAME = me.example\nLISTEN_PORT = 0",
    users: "john:mail.conf/john",
    lines: [/^user\.conf:1: john: cannot keep mail in mail\.conf\/john: .*file, not a directory$/],
  },
  {
    what: "an address that is not this machine's",
    mail: "HOSTNAME = me.example\nLISTEN_ADDR = 192.0.2.1\nLISTEN_PORT = 0",
    lines: [/^mail\.conf:2: LISTEN_ADDR: cannot listen on 192\.0\.2\.1:0: .*address$/],
  },
];

/** Without any capability root is a user like others. */
const POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
const isRoot = Deno.uid() === 0;

const PRIVILEGE_FAULTS: readonly Fault[] = [
  {
    what: "a directory that may not be written",
    mail: "HOSTNAME = me.example\nLISTEN_PORT = 0",
    users: "john:locked/john",
    lines: [/^user\.conf:1: john: cannot keep mail in locked\/john: permission denied, .*$/],
    under: POWERLESS,
  },
  {
    what: "a mailbox that messages cannot be moved into",
    mail: "HOSTNAME = me.example\nLISTEN_PORT = 0",
    users: "john:half",
    lines: [/^user\.conf:1: john: cannot keep mail in half: permission denied, .*$/],
    under: POWERLESS,
  },
];

Deno.test({
  ...skippable("serve: a low port without the right to it", missingOrNotRoot(["setpriv"])),
  fn: () =>
    expectFault("serve", {
      what: "a low port without the right to it",
      mail: "HOSTNAME = me.example\nLISTEN_PORT = 25",
      lines: [
        /^mail\.conf:2: LISTEN_PORT: cannot listen on 127\.0\.0\.1:25: .*CAP_NET_BIND_SERVICE.*$/,
      ],
      under: POWERLESS,
    }),
});

for (const command of ["serve", "check"]) {
  for (const fault of FAULTS) {
    Deno.test(`${command}: ${fault.what}`, () => expectFault(command, fault));
  }
  for (const fault of PRIVILEGE_FAULTS) {
    Deno.test({
      ...skippable(`${command}: ${fault.what}`, missingOrNotRoot(["setpriv"])),
      fn: () => expectFault(command, fault),
    });
  }
  Deno.test(`${command}: a port in use`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: TAKEN });
    try {
      await expectFault(command, {
        what: "a port in use",
        mail: `HOSTNAME = me.example\nLISTEN_PORT = ${TAKEN}`,
        lines: [
          /^mail\.conf:2: LISTEN_PORT: cannot listen on 127\.0\.0\.1:\d+: another program listens there already$/,
        ],
      });
    } finally {
      listener.close();
    }
  });
  Deno.test(`${command}: files that are not there`, async () => {
    const { code, out, err } = await run([...words(command), "no.conf", "none.conf"]);
    assert.deepEqual([code, out], [2, ""]);
    assert.equal(
      err,
      "denosmtpd: no.conf: there is no such file\ndenosmtpd: none.conf: there is no such file\n",
    );
  });
}

function words(command: string): string[] {
  return command === "check" ? ["check"] : [];
}

async function expectFault(command: string, fault: Fault): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.mkdir(`${folder}/locked`, { mode: 0o500 });
    // Owned by somebody else, so that owning it gives no right to it.
    if (isRoot) await Deno.chown(`${folder}/locked`, 65534, 65534);
    for (const part of ["tmp", "new", "cur"]) {
      await Deno.mkdir(`${folder}/half/${part}`, { recursive: true });
    }
    if (isRoot) await Deno.chown(`${folder}/half/new`, 65534, 65534);
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(`${folder}/mail.conf`, `${fault.mail}\n`);
    await Deno.writeTextFile(`${folder}/user.conf`, `${fault.users ?? "john:mail/john"}\n`);
    const { code, out, err } = await run([...words(command), "mail.conf", "user.conf"], {
      cwd: folder,
      under: fault.under ?? [],
    });
    assert.equal(code, 2, err);
    assert.equal(out, "");
    const lines = err.trimEnd().split("\n");
    assert.equal(lines.length, fault.lines.length, err);
    lines.forEach((line, i) => {
      assert.ok(line.startsWith("denosmtpd: "), line);
      assert.match(line.slice("denosmtpd: ".length), fault.lines[i]!);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
