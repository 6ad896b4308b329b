/** user.conf: who has a mailbox here, line by line. */

import assert from "node:assert/strict";
import { ConfigurationError, problemText } from "../../src/config/problem.ts";
import { readUserConf, type User } from "../../src/config/user_conf.ts";

async function read(content: string): Promise<User[]> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/user.conf`, content);
    return await readUserConf(`${folder}/user.conf`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is wrong, each as `line: message`. */
async function problems(content: string): Promise<string[]> {
  try {
    await read(content);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error.problems.map((problem) => {
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(problem.message, /[\x00-\x1f\x7f]/, "one line, fit for a terminal");
      assert.match(problemText(problem), /\/user\.conf(:\d+)?: \S/);
      return `${problem.line ?? "-"}: ${problem.message}`;
    });
  }
  throw new assert.AssertionError({ message: `${JSON.stringify(content)} was read` });
}

const HASH =
  "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

const GOOD: readonly (readonly [line: string, name: string, target: unknown, hash?: string])[] = [
  // As pySMTPD had it.
  ["john:/tmp/mbox/john/", "john", { directory: "/tmp/mbox/john" }],
  ["john:/tmp/mbox/john", "john", { directory: "/tmp/mbox/john" }],
  ["john : mail/john ", "john", { directory: "mail/john" }],
  ["john:.", "john", { directory: "." }],
  ["john:/", "john", { directory: "/" }],
  ["john:///", "john", { directory: "/" }],
  ["john:/with blank/é", "john", { directory: "/with blank/é" }],
  ["John:/x", "John", { directory: "/x" }],
  ["*:/x", "*", { directory: "/x" }],
  ["postmaster:/x", "postmaster", { directory: "/x" }],
  ["a b:/x", "a b", { directory: "/x" }],
  ["Joe,Smith:/x", "Joe,Smith", { directory: "/x" }],
  ["john+tag:/x", "john+tag", { directory: "/x" }],
  ["o'neil.x_y-z:/x", "o'neil.x_y-z", { directory: "/x" }],
  [`${"l".repeat(64)}:/x`, "l".repeat(64), { directory: "/x" }],
  [`${"a ".repeat(30)}ab:/x`, `${"a ".repeat(30)}ab`, { directory: "/x" }],
  // A path with an @ begins with / or a period.
  ["john:/x@y", "john", { directory: "/x@y" }],
  ["john:./x@y,z", "john", { directory: "./x@y,z" }],
  [
    "staff:jack@example.com",
    "staff",
    { forwards: [{ localPart: "jack", domain: "example.com" }] },
  ],
  [
    'staff: jack@example.com , "a b"@[192.0.2.1],x@[IPv6:::1]',
    "staff",
    {
      forwards: [
        { localPart: "jack", domain: "example.com" },
        { localPart: "a b", domain: "[192.0.2.1]" },
        { localPart: "x", domain: "[IPv6:::1]" },
      ],
    },
  ],
  [`john:/x:${HASH}`, "john", { directory: "/x" }, HASH],
  [`john : /x : ${HASH} `, "john", { directory: "/x" }, HASH],
  [
    `john:a@[IPv6:::1]:${HASH}`,
    "john",
    { forwards: [{ localPart: "a", domain: "[IPv6:::1]" }] },
    HASH,
  ],
];

for (const [line, name, target, hash] of GOOD) {
  Deno.test(`user: ${line}`, async () => {
    assert.deepEqual(await read(`# users\n\n${line}\n`), [{ name, target, hash, line: 3 }]);
  });
}

const NO_NAME =
  /^3: ".*" is no user name, write what stands before the @ of the address, in ASCII$/;

const BAD: readonly (readonly [line: string, message: RegExp])[] = [
  ["john", /^3: is not of the form name:directory or name:address, address$/],
  ["john /x", /^3: is not of the form name:directory/],
  ["john=/x", /^3: is not of the form name:directory/],
  [":/x", NO_NAME],
  ["john@me.example:/x", NO_NAME],
  ["jörg:/x", NO_NAME],
  [`${"l".repeat(65)}:/x`, NO_NAME],
  ["john:", /^3: john: a mailbox directory or an address to forward to is missing$/],
  ["john: :", /^3: john: /],
  [`john::${HASH}`, /^3: john: a mailbox directory or an address to forward to is missing$/],
  [
    "john:/x:/y",
    /^3: john: the third field is no password hash, make one by: denosmtpd passwd; no directory's name may hold a colon$/,
  ],
  ['john:/x"a:b"@y', /^3: john: no directory's name may hold a colon$/],
  [
    "john:/x:",
    /^3: john: the third field is empty, either denosmtpd passwd makes one or the colon before it goes$/,
  ],
  [
    "john:/x:$1$md5$x",
    /^3: john: the third field is no password hash, make one by: denosmtpd passwd$/,
  ],
  ["john:/x:$", /^3: john: the third field is no password hash/],
  [
    `john:/x:${HASH.slice(0, -2)}`,
    /^3: john: the third field is no password hash \(its hash is no base64\), make one by: denosmtpd passwd$/,
  ],
  [
    `john:/x:${HASH.replace("ln=15", "ln=25")}`,
    /^3: john: the third field is no password hash \(ln is 25, not 10 to 17\), make one/,
  ],
  [
    `*:/x:${HASH}`,
    /^3: \*: nobody logs in as \*, a password belongs to a user's own line$/,
  ],
  ["john:a@b_c", /^3: john: "a@b_c" is no address \(.+\), write it like jack@example\.com$/],
  ["john:jack@", /^3: john: "jack@" is no address \(bad domain\)/],
  [
    "john:jack@example.com, jill",
    /^3: john: "jill" is no address \(the address lacks its domain\)/,
  ],
  ["john:jack@example.com,", /^3: john: an address is missing before or after a comma/],
  ["john:jack, jill", /^3: john: "jack" is no address \(the address lacks its domain\)/],
  [
    `john:${"l".repeat(64)}@${"d.".repeat(95)}e`,
    /^3: john: ".*" is no address \(address too long\)/,
  ],
  [
    `${"a ".repeat(31)}a:/x`,
    /^3: (a )+a: the name has more than 64 characters with its quotes, no mail could name it$/,
  ],
  ["john:<jack@example.com>", /^3: john: "<jack@example\.com>" is no address/],
];

for (const [line, message] of BAD) {
  Deno.test(`no user: ${JSON.stringify(line).slice(0, 60)}`, async () => {
    const found = await problems(`jack:/jack\n\n${line}\n`);
    assert.equal(found.length, 1);
    assert.match(found[0]!, message);
  });
}

for (
  const line of [
    "john:/x:secret",
    "john: /x : secret ",
    "john:/x:$secret",
    "john:/x:$scrypt$secret",
    `john:/x:${HASH}secret`,
    `john:/x:${HASH}:secret`,
    "john:x:sec@secret,secret",
    "john:/x:sec@secret",
    "john:~/x:secret",
    "john:a@b.c:secret",
    "john:a@b.c, d:secret",
    "john:a@[IPv6:::1]:secret",
    "john:a@[IPv6:::1:secret",
    "john:a@[IPv6:::1], secret",
    'john:"a:secret',
    'john:"a:b"@c.d:secret',
    "*:/x:secret",
    "john::secret",
    "secret",
    "$scrypt$secret",
  ]
) {
  Deno.test(`what may be a password is not repeated: ${line}`, async () => {
    const found = await problems(`jack:/jack\n\n${line}\n`);
    assert.equal(found.length, 1);
    assert.ok(!found[0]!.includes("secret"), found[0]);
  });
}

Deno.test("a line of whatever length and quotes is judged", async () => {
  for (const part of ['"', "@[", "[", '"\\\\', "x", "@[x]"]) {
    const line = `john:${part.repeat(60_000 / part.length)}`;
    await problems(`${line}:secret\n`);
  }
});

Deno.test("control characters in the file never reach the message", async () => {
  for (
    const line of ["john:/x\x07y", "jo\x1b[2Jhn:/x", "\x1b[2J", "john:/x\rjack:/y", "john:\x1b@x"]
  ) {
    const [problem, ...more] = await problems(`jack:/jack\n\n${line}\n`);
    assert.match(problem!, /^3: /, JSON.stringify(line));
    assert.deepEqual(more, []);
  }
});

Deno.test("users stand in the order of the file, with their lines", async () => {
  const users = await read("zoe:/z\n# x\n*:/all\n\nadam:/a\n");
  assert.deepEqual(users.map(({ name, line }) => `${name} ${line}`), ["zoe 1", "* 3", "adam 5"]);
});

Deno.test("a name stands there once, in whatever case (RFC 5321 2.4 leaves it to the host)", async () => {
  assert.deepEqual(await problems("john:/a\nJOHN:/b\njack:/c\njohn:/d\n"), [
    "2: JOHN stands already in line 1",
    "4: john stands already in line 1",
  ]);
});

Deno.test("everything that is wrong is told at once", async () => {
  const found = await problems("john\njack:\nok:/x\n:/y\n");
  assert.deepEqual(found.map((problem) => problem.slice(0, 2)), ["1:", "2:", "4:"]);
});

Deno.test("a file without a user is told what a line is like", async () => {
  const expected = "-: names no user, write at least one line like john:/var/mail/john";
  for (const content of ["", "\n\n", "# john:/x\n"]) {
    assert.deepEqual(await problems(content), [expected]);
  }
});

Deno.test("pySMTPD's sample of a user.conf is read as it is", async () => {
  const users = await read("john:/tmp/mbox/john/\njack:/tmp/mbox/jack/ \n\n");
  assert.deepEqual(users.map(({ name, target }) => ({ name, target })), [
    { name: "john", target: { directory: "/tmp/mbox/john" } },
    { name: "jack", target: { directory: "/tmp/mbox/jack" } },
  ]);
});
