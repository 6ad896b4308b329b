/** The machine's own addresses, where all of them are listened on. */

import assert from "node:assert/strict";
import { addressBook, readConfiguration } from "../../src/config/configuration.ts";
import { ConfigurationError, problemText } from "../../src/config/problem.ts";

const SYSTEM = {
  hostName: () => "system.example",
  addresses: () => ["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"],
  stateDirectory: () => undefined,
};

/** The configuration of a host that listens there. */
async function read(listenAddr: string, users = "jones:/jones\n") {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    const conf = `HOSTNAME = me.example\nLISTEN_ADDR = ${listenAddr}\n`;
    await Deno.writeTextFile(`${folder}/mail.conf`, conf);
    await Deno.writeTextFile(`${folder}/user.conf`, users);
    return await readConfiguration(`${folder}/mail.conf`, `${folder}/user.conf`, SYSTEM);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const LITERALS = ["[127.0.0.1]", "[192.0.2.1]", "[IPv6:::1]", "[IPv6:2001:db8::1]"];

const LISTENING: readonly (readonly [listenAddr: string, own: readonly string[]])[] = [
  ["192.0.2.1", ["[192.0.2.1]"]],
  ["127.0.0.1, ::1", ["[127.0.0.1]", "[IPv6:::1]"]],
  ["0.0.0.0", ["[127.0.0.1]", "[192.0.2.1]"]],
  ["0.0.0.0, ::1", ["[127.0.0.1]", "[192.0.2.1]", "[IPv6:::1]"]],
  ["::", LITERALS],
];

for (const [listenAddr, own] of LISTENING) {
  Deno.test(`LISTEN_ADDR = ${listenAddr}: ${own.join(" ")} is local (RFC 5321 4.1.3)`, async () => {
    const configuration = await read(listenAddr);
    const book = addressBook(configuration);
    assert.deepEqual(LITERALS.filter((literal) => book.isLocal(literal)), own);
    // The two threads that are told do not ask the system again.
    assert.deepEqual(addressBook(structuredClone(configuration)).isLocal("[192.0.2.9]"), false);
  });
}

Deno.test("forwards in a circle by way of own addresses are told", async () => {
  for (const [listenAddr, literal] of [["0.0.0.0", LITERALS[1]], ["::", LITERALS[3]]]) {
    const users = `jones:smith@${literal}\nsmith:jones@me.example\n`;
    await assert.rejects(read(listenAddr!, users), (error) => {
      assert.ok(error instanceof ConfigurationError);
      const told = error.problems.map((problem) => problemText(problem).replace(/^.*\//, ""));
      assert.deepEqual(told, [
        "user.conf:1: jones: forwards go in a circle: jones -> smith -> jones",
        "user.conf:2: smith: forwards go in a circle: smith -> jones -> smith",
      ]);
      return true;
    });
  }
});

Deno.test("a forward to an own address, where nobody is called like that, is told", async () => {
  await assert.rejects(read("0.0.0.0", "jones:nobody@[192.0.2.1]\n"), /there is no such user/);
});
