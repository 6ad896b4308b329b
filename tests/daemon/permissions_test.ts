/** The receiver's worker may do what the configuration says, and nothing else. */

import assert from "node:assert/strict";
import type { Configuration } from "../../src/config/configuration.ts";
import { readConfiguration } from "../../src/config/configuration.ts";
import { receiverPermissions } from "../../src/daemon/permissions.ts";

const PERMISSIONS = new URL("../../src/daemon/permissions.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const ALL = ["net", "read", "write", "env", "sys", "run", "ffi", "import"].map((name) => {
  return `--allow-${name}`;
});

async function withConfiguration(
  act: (configuration: Configuration, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    const [mail, users] = [`${folder}/mail.conf`, `${folder}/user.conf`];
    await Deno.mkdir(`${folder}/john`);
    await Deno.writeTextFile(mail, `HOSTNAME = me.example\nLISTEN_PORT = ${freePort()}\n`);
    await Deno.writeTextFile(users, `john:${folder}/john\n`);
    const system = { hostName: () => "unused.example", stateDirectory: () => undefined };
    await act(await readConfiguration(mail, users, system), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

/** What a worker with these permissions gets when it tries each of these. */
async function attempt(
  configuration: Configuration,
  attempts: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const code = `
    const outcomes = {};
    for (const [what, code] of Object.entries(${JSON.stringify(attempts)})) {
      try {
        const result = await (new Function("return (async () => " + code + ")()"))();
        result?.close?.();
        outcomes[what] = "done";
      } catch (error) {
        outcomes[what] = error.name;
      }
    }
    postMessage(outcomes);`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, {
    type: "module",
    deno: { permissions: receiverPermissions(configuration) },
  });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
  } finally {
    worker.terminate();
  }
}

Deno.test("the receiver can listen at its address and write its mailboxes", () =>
  withConfiguration(async (configuration, folder) => {
    const outcomes = await attempt(configuration, {
      listen: `Deno.listen({ hostname: "127.0.0.1", port: ${configuration.mail.LISTEN_PORT} })`,
      write: `Deno.writeTextFile("${folder}/john/x", "x")`,
      read: `Deno.readTextFile("${folder}/john/x")`,
    });
    assert.deepEqual(outcomes, { listen: "done", write: "done", read: "done" });
  }));

Deno.test("the receiver can do nothing else", () =>
  withConfiguration(async (configuration, folder) => {
    const forbidden = {
      "read a file of the system": `Deno.readTextFile("/etc/passwd")`,
      "read its configuration": `Deno.readTextFile("${folder}/user.conf")`,
      "write outside the mailboxes": `Deno.writeTextFile("${folder}/x", "x")`,
      "climb out of a mailbox": `Deno.writeTextFile("${folder}/john/../x", "x")`,
      "listen at another port": `Deno.listen({ hostname: "127.0.0.1", port: 0 })`,
      "listen at another address":
        `Deno.listen({ hostname: "0.0.0.0", port: ${configuration.mail.LISTEN_PORT} })`,
      "connect": `Deno.connect({ hostname: "127.0.0.1", port: 25 })`,
      "ask a name server": `Deno.resolveDns("example.com", "MX")`,
      "run a program": `new Deno.Command("/bin/sh").output()`,
      "read the environment": `Deno.env.get("HOME")`,
      "ask for the host's name": `Deno.hostname()`,
      "load a library": `Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {})`,
    };
    const outcomes = await attempt(configuration, forbidden);
    for (const what of Object.keys(forbidden)) {
      assert.equal(outcomes[what], "NotCapable", `the receiver could ${what}`);
    }
  }));

Deno.test("the main thread gives up everything once its parts run", async () => {
  const file = await Deno.makeTempFile({ prefix: "denosmtpd-test-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      `import { dropPermissions } from ${JSON.stringify(PERMISSIONS)};
       await dropPermissions();
       for (const name of ["net", "read", "write", "env", "sys", "run", "ffi", "import"]) {
         console.log(name, (await Deno.permissions.query({ name })).state);
       }`,
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--quiet", `--config=${CONFIG}`, ...ALL, file],
    }).output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    assert.equal(lines.length, 8);
    for (const line of lines) assert.match(line, /^\w+ (prompt|denied)$/);
  } finally {
    await Deno.remove(file);
  }
});
