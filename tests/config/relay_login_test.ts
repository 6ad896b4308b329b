/** The login for RELAY_HOST: a file of its own, that nobody else may read. */

import assert from "node:assert/strict";
import { readConfiguration } from "../../src/config/configuration.ts";
import { ConfigurationError, ValueError } from "../../src/config/problem.ts";
import { readRelayLogin } from "../../src/config/relay_login.ts";
import { makeFolder } from "../support/folder.ts";

async function withFile<T>(
  content: string | Uint8Array,
  act: (path: string) => Promise<T>,
  mode = 0o600,
): Promise<T> {
  await using folder = await makeFolder();
  const path = `${folder.path}/login`;
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  await Deno.chmod(path, mode);
  return await act(path);
}

for (
  const [content, user, password] of [
    ["jones:secret", "jones", "secret"],
    ["jones:secret\n", "jones", "secret"],
    ["# who we are\r\n\r\njones@x.y:se:cret\r\n", "jones@x.y", "se:cret"],
    ["jones: a # b \n", "jones", " a # b "],
    ["\ufeffjones:caf\u00e9\n", "jones", "caf\u00e9"],
    ["jones:secret\nsmith:other\n", "jones", "secret"],
  ] as const
) {
  Deno.test(`${JSON.stringify(content)} is the login of ${user}`, async () => {
    assert.deepEqual(await withFile(content, readRelayLogin), { user, password });
  });
}

for (
  const [content, why] of [
    ["", /^holds no login, write a line like user:password$/],
    ["# jones:secret\n", /^holds no login/],
    ["# x\nsecret\n", /^line 2 is not of the form user:password$/],
    [":secret\n", /^line 1 has no user/],
    ["jones:\n", /^line 1 has no password/],
    ["jones:sec\0ret\n", /^line 1 holds a control character$/],
    [`jones:secret${"x".repeat(400)}\n`, /^line 1 is too long for a login$/],
    ["#".repeat(70_000), /^is too long for a login$/],
    [new Uint8Array([106, 58, 255, 10]), /^is not UTF-8 text$/],
  ] as const
) {
  Deno.test(`${JSON.stringify(String(content).slice(0, 30))} is none, and what it says is not repeated`, async () => {
    await assert.rejects(withFile(content, readRelayLogin), (error) => {
      assert.ok(error instanceof ValueError);
      assert.match(error.message, why);
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  });
}

for (
  const [mode, good] of [[0o600, true], [0o400, true], [0o640, false], [0o604, false], [
    0o620,
    false,
  ]] as const
) {
  Deno.test(`a login with the rights ${mode.toString(8)} is ${good ? "" : "not "}taken`, async () => {
    const login = withFile("jones:secret\n", readRelayLogin, mode);
    if (good) await login;
    else await assert.rejects(login, /^ValueError: others .*, chmod 600 \/.*\/login$/);
  });
}

Deno.test("what closes a login can be copied, whatever its file is called", async () => {
  await using folder = await makeFolder();
  const path = `${folder.path}/my login`;
  await Deno.writeTextFile(path, "jones:secret\n");
  await Deno.chmod(path, 0o644);
  await assert.rejects(readRelayLogin(path), (error: Error) => {
    assert.ok(error.message.endsWith(`, chmod 600 '${path}'`), error.message);
    return true;
  });
});

Deno.test("a login that is no file is refused", async () => {
  await using folder = await makeFolder();
  await assert.rejects(readRelayLogin(folder.path), ValueError);
  await assert.rejects(readRelayLogin(`${folder.path}/none`), /there is no such file/);
});

Deno.test("the configuration has it, and tells what is wrong with it by its line", async () => {
  await using folder = await makeFolder();
  const [mail, users, login] = ["mail.conf", "user.conf", "login"].map((name) =>
    `${folder.path}/${name}`
  ) as [string, string, string];
  await Deno.writeTextFile(
    mail,
    `HOSTNAME = me.example\nRELAY_HOST = mx.example\nRELAY_LOGIN_FILE = ${login}\n`,
  );
  await Deno.writeTextFile(users, "john:/x\n");
  await Deno.writeTextFile(login, "jones:secret\n", { mode: 0o600 });
  const system = { hostName: () => "", addresses: () => [], stateDirectory: () => undefined };
  const { relayLogin } = await readConfiguration(mail, users, system);
  assert.deepEqual(relayLogin, { user: "jones", password: "secret" });
  await Deno.chmod(login, 0o644);
  await assert.rejects(readConfiguration(mail, users, system), (error) => {
    assert.ok(error instanceof ConfigurationError);
    const [problem] = error.problems;
    assert.deepEqual([problem?.file, problem?.line], [mail, 3]);
    assert.match(problem!.message, /^RELAY_LOGIN_FILE: .*, chmod 600 /);
    return true;
  });
});
