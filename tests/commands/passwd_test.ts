/** `passwd`: what it asks, what it shows of it, and what it prints. */

import assert from "node:assert/strict";
import { verifyPassword } from "../../src/config/password.ts";
import { COMMAND } from "../support/daemon.ts";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { missing, skippable, succeed } from "../support/programs.ts";
import { run } from "../support/run.ts";

const encoder = new TextEncoder();
const HASH = /^\$scrypt\$ln=14,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}\n$/;

/** Whether what was printed is one hash, and of this password. */
async function isHashOf(printed: string, password: string | Uint8Array): Promise<boolean> {
  assert.match(printed, HASH);
  const octets = typeof password === "string" ? encoder.encode(password) : password;
  return await verifyPassword(printed.trimEnd(), octets);
}

const LINES: readonly (readonly [what: string, input: string, password: string])[] = [
  ["with LF", "secret\n", "secret"],
  ["with CR LF", "secret\r\n", "secret"],
  ["without an end", "secret", "secret"],
  ["and others after it", "secret\nmore\n", "secret"],
  ["with blanks", " s e\tcret \n", " s e\tcret "],
  ["in UTF-8", "pässwörd€\n", "pässwörd€"],
  ["of 255 octets", `${"x".repeat(255)}\r\n`, "x".repeat(255)],
];

for (const [what, input, password] of LINES) {
  Deno.test(`a line ${what} on standard input is hashed`, async () => {
    const { code, out, err } = await run(["passwd"], { input });
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(await isHashOf(out, password));
  });
}

Deno.test("octets that are no UTF-8 are a password too", async () => {
  const input = Uint8Array.of(0xff, 0xfe, 0x80);
  const { out } = await run(["passwd"], { input });
  assert.ok(await isHashOf(out, input));
});

Deno.test("the same password has another hash each time", async () => {
  const [one, other] = [
    await run(["passwd"], { input: "secret\n" }),
    await run(["passwd"], { input: "secret\n" }),
  ];
  assert.notEqual(one.out, other.out);
});

const BAD: readonly (readonly [what: string, input: string, says: string])[] = [
  ["nothing", "", "the password is empty"],
  ["an empty line", "\nsecret\n", "the password is empty"],
  ["CR LF alone", "\r\n", "the password is empty"],
  ["NUL", "se\0cret\n", "the password holds NUL, no login could carry it"],
  [
    "256 octets",
    `${"x".repeat(256)}\n`,
    "the password has more than 255 octets, no login could carry it",
  ],
  ["no end", "x".repeat(100_000), "the password has more than 255 octets, no login could carry it"],
];

for (const [what, input, says] of BAD) {
  Deno.test(`${what} on standard input: one line that says why, exit 1`, async () => {
    const { code, out, err } = await run(["passwd"], { input });
    assert.deepEqual([code, out, err], [1, "", `denosmtpd: ${says}\n`]);
  });
}

Deno.test("a password in the command line is refused, and not shown", async () => {
  const { code, out, err } = await run(["passwd", "secret"]);
  assert.deepEqual([code, out], [2, ""]);
  assert.match(err, /^denosmtpd: passwd takes no argument/);
  assert.doesNotMatch(err, /secret/);
});

const SCRIPT = new URL("../support/typing.py", import.meta.url).pathname;

type Step = { readonly shown: string } & ({ readonly types: string } | { readonly signal: string });

interface Typed {
  /** All that the terminal showed. */
  readonly screen: string;
  readonly out: string;
  readonly code: number;
  /** Whether the terminal was left as it was. */
  readonly restored: boolean;
}

/** Text is typed as its octets in UTF-8. */
async function type(
  steps: readonly Step[],
  command: readonly string[] = [...COMMAND, "passwd"],
): Promise<Typed> {
  const octets = (text: string) => String.fromCharCode(...encoder.encode(text));
  const input = encoder.encode(JSON.stringify(
    steps.map((step) => "types" in step ? { ...step, types: octets(step.types) } : step),
  ));
  const output = await succeed("python3", ["-I", SCRIPT, ...command], { input });
  return JSON.parse(new TextDecoder().decode(output));
}

function testTyped(name: string, fn: () => Promise<void>): void {
  Deno.test({ ...skippable(name, missing(["python3"])), fn });
}

/** Types two lines, the second where it is asked for. */
function twice(first: string, second = first): Promise<Typed> {
  return type([{ shown: "Password: ", types: first }, { shown: "Again: ", types: second }]);
}

testTyped("a terminal is asked twice and shows nothing of the password", async () => {
  const { screen, out, code, restored } = await twice("secret\r");
  assert.deepEqual([code, screen, restored], [0, "Password: \r\nAgain: \r\n", true]);
  assert.ok(await isHashOf(out, "secret"));
});

const KEYS: readonly (readonly [what: string, typed: string, password: string])[] = [
  ["backspace takes back a character", "sex\x7fcret\r", "secret"],
  ["backspace takes back one of several octets", "pä€\x7f\x7fass\r", "pass"],
  ["Ctrl-H is backspace, and more of it do no harm", "x\b\b\bsecret\r", "secret"],
  ["Ctrl-U takes back all", "wrong\x15secret\r", "secret"],
  ["arrow keys are no part of it", "se\x1b[Dcr\x1bOAet\x1b[1;5C\r", "secret"],
  ["UTF-8 is taken as it is", "pässwörd€𝄞\n", "pässwörd€𝄞"],
  ["Ctrl-D ends it too", "secret\x04", "secret"],
];

for (const [what, typed, password] of KEYS) {
  testTyped(`typed: ${what}`, async () => {
    const { out, code, restored } = await twice(typed, `${password}\r`);
    assert.deepEqual([code, restored], [0, true]);
    assert.ok(await isHashOf(out, password));
  });
}

testTyped("two lines that are pasted at once are both answers", async () => {
  const { out, code } = await type([{ shown: "Password: ", types: "secret\rsecret\r" }]);
  assert.equal(code, 0);
  assert.ok(await isHashOf(out, "secret"));
});

const TROUBLES: readonly (readonly [
  what: string,
  steps: readonly Step[],
  screen: string,
])[] = [
  [
    "two that differ",
    [{ shown: "Password: ", types: "secret\r" }, { shown: "Again: ", types: "secreT\r" }],
    "Password: \r\nAgain: \r\ndenosmtpd: the two passwords differ\r\n",
  ],
  [
    "an empty one, which is not asked for again",
    [{ shown: "Password: ", types: "\r" }],
    "Password: \r\ndenosmtpd: the password is empty\r\n",
  ],
  [
    "one that is too long",
    [{ shown: "Password: ", types: `${"x".repeat(2000)}\r` }],
    "Password: \r\ndenosmtpd: the password has more than 255 octets, no login could carry it\r\n",
  ],
  [
    "NUL, which is Ctrl-@",
    [{ shown: "Password: ", types: "se\0cret\r" }],
    "Password: \r\ndenosmtpd: the password holds NUL, no login could carry it\r\n",
  ],
  ["Ctrl-C", [{ shown: "Password: ", types: "sec\x03" }], "Password: \r\n"],
  [
    "Ctrl-C at the second",
    [{ shown: "Password: ", types: "secret\r" }, { shown: "Again: ", types: "sec\x03" }],
    "Password: \r\nAgain: \r\n",
  ],
  ["SIGTERM", [{ shown: "Password: ", signal: "SIGTERM" }], "Password: \r\n"],
  ["SIGINT", [{ shown: "Password: ", signal: "SIGINT" }], "Password: \r\n"],
];

for (const [what, steps, screen] of TROUBLES) {
  testTyped(`typed: ${what}: no hash, exit 1, the terminal is as it was`, async () => {
    assert.deepEqual(await type(steps), { screen, out: "", code: 1, restored: true });
  });
}

Deno.test({
  ...skippable("the executable asks and hashes too", notCompiled() ?? missing(["python3"])),
  fn: async () => {
    const steps = [
      { shown: "Password: ", types: "secret\r" },
      { shown: "Again: ", types: "secret\r" },
    ];
    const { screen, out, code, restored } = await type(steps, [EXECUTABLE, "passwd"]);
    assert.deepEqual([code, screen, restored], [0, "Password: \r\nAgain: \r\n", true]);
    assert.ok(await isHashOf(out, "secret"));
  },
});
