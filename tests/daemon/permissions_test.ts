/** The daemon's parts may do what the configuration says, and nothing else. */

import assert from "node:assert/strict";
import type { Configuration } from "../../src/config/configuration.ts";
import { readConfiguration } from "../../src/config/configuration.ts";
import { mailboxDirectories } from "../../src/config/user_conf.ts";
import { receiverPermissions, relayPermissions } from "../../src/daemon/permissions.ts";
import { listenPlaces } from "../../src/receiver/listener.ts";
import { type Reach, reachOf } from "../../src/daemon/reach.ts";
import type { NameServer } from "../../src/relay/resolver.ts";
import { makeFolder } from "../support/folder.ts";
import { freePort } from "../support/free_port.ts";
import { startNameServer } from "../support/name_server.ts";
import { hasIpv6, skippable } from "../support/programs.ts";

const PERMISSIONS = new URL("../../src/daemon/permissions.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const ALL = ["net", "read", "write", "env", "sys", "run", "ffi", "import"].map((name) => {
  return `--allow-${name}`;
});

async function withConfiguration(
  act: (configuration: Configuration, folder: string) => Promise<void>,
  settings = "",
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    const [mail, users] = [`${folder}/mail.conf`, `${folder}/user.conf`];
    await Deno.mkdir(`${folder}/john`);
    for (const part of ["tmp", "queue", "damaged", "requests"]) {
      await Deno.mkdir(`${folder}/spool/${part}`, { recursive: true });
    }
    const lines = ["HOSTNAME = me.example", `LISTEN_PORT = ${freePort()}`];
    lines.push(`SPOOL_DIR = ${folder}/spool`, settings, "");
    await Deno.writeTextFile(mail, lines.join("\n"));
    await Deno.writeTextFile(users, `john:${folder}/john\n`);
    const system = {
      hostName: () => "unused.example",
      addresses: () => [],
      stateDirectory: () => undefined,
    };
    await act(await readConfiguration(mail, users, system), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Of a receiver whose mailboxes are granted one by one, unless told. */
function receiverRights(
  configuration: Configuration,
  granted = mailboxDirectories(configuration),
): Deno.PermissionOptionsObject {
  const places = listenPlaces(configuration.mail);
  return receiverPermissions({ configuration, places, granted });
}

/** What a worker with these permissions gets when it tries each of these. */
async function attempt(
  permissions: Deno.PermissionOptionsObject,
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
    deno: { permissions },
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
    const outcomes = await attempt(
      receiverRights(configuration),
      {
        listen: `Deno.listen({ hostname: "127.0.0.1", port: ${configuration.mail.LISTEN_PORT} })`,
        write: `Deno.writeTextFile("${folder}/john/x", "x")`,
        read: `Deno.readTextFile("${folder}/john/x")`,
      },
    );
    assert.deepEqual(outcomes, { listen: "done", write: "done", read: "done" });
  }));

/** Asks for the free space around each of these. */
const spaceAt = (...paths: string[]) =>
  Object.fromEntries(paths.map((path) => [
    path,
    `import("node:fs/promises").then((fs) => fs.statfs("${path}"))`,
  ]));

Deno.test("the receiver sees how much room there is for mail, where any is to be kept", async () => {
  await withConfiguration(async (configuration, folder) => {
    const paths = [`${folder}/john`, `${folder}/spool/queue`];
    const permissions = receiverRights(configuration);
    assert.deepEqual(
      await attempt(permissions, spaceAt(...paths)),
      Object.fromEntries(paths.map((path) => [path, "done"])),
    );
    await allForbidden("the receiver", permissions, spaceAt("/", "/tmp", folder));
  });
  await withConfiguration(async (configuration, folder) => {
    const permissions = receiverRights(configuration);
    await allForbidden("the receiver", permissions, spaceAt(`${folder}/john`, "/"));
  }, "MIN_FREE = none");
});

Deno.test("the receiver can put messages into the queue", () =>
  withConfiguration(async (configuration, folder) => {
    const spool = `${folder}/spool`;
    const outcomes = await attempt(
      receiverRights(configuration),
      {
        write: `Deno.writeTextFile("${spool}/tmp/x", "x", { createNew: true })`,
        move: `Deno.rename("${spool}/tmp/x", "${spool}/queue/x")`,
        sync: `Deno.open("${spool}/queue").then((file) => file.sync().then(() => file))`,
        read: `Deno.readTextFile("${spool}/queue/x")`,
      },
    );
    assert.deepEqual(outcomes, { write: "done", move: "done", sync: "done", read: "done" });
  }));

Deno.test("the receiver can do nothing else", () =>
  withConfiguration(async (configuration, folder) => {
    const forbidden = {
      "read a file of the system": `Deno.readTextFile("/etc/passwd")`,
      "read its configuration": `Deno.readTextFile("${folder}/mail.conf")`,
      "read the users and their passwords": `Deno.readTextFile("${folder}/user.conf")`,
      "write outside the mailboxes": `Deno.writeTextFile("${folder}/x", "x")`,
      "climb out of a mailbox": `Deno.writeTextFile("${folder}/john/../x", "x")`,
      "climb out of the queue": `Deno.writeTextFile("${folder}/spool/queue/../x", "x")`,
      "see what is damaged": `Array.fromAsync(Deno.readDir("${folder}/spool/damaged"))`,
      "put something aside": `Deno.writeTextFile("${folder}/spool/damaged/x", "x")`,
      "make a request": `Deno.writeTextFile("${folder}/spool/requests/x", "x")`,
      "take the lock": `Deno.writeTextFile("${folder}/spool/lock", "x")`,
      "listen at another port": `Deno.listen({ hostname: "127.0.0.1", port: 0 })`,
      "listen at another address":
        `Deno.listen({ hostname: "0.0.0.0", port: ${configuration.mail.LISTEN_PORT} })`,
      "connect": `Deno.connect({ hostname: "127.0.0.1", port: 25 })`,
      "ask a name server": `Deno.resolveDns("example.com", "MX")`,
      "run a program": `new Deno.Command("/bin/sh").output()`,
      "read the environment": `Deno.env.get("HOME")`,
      "ask for the host's name": `Deno.hostname()`,
      "list the network's interfaces": `Deno.networkInterfaces()`,
      "ask for the free space elsewhere": `import("node:fs/promises").then((fs) => fs.statfs("/"))`,
      "load a library": `Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {})`,
    };
    await allForbidden(
      "the receiver",
      receiverRights(configuration),
      forbidden,
    );
  }));

async function allForbidden(
  who: string,
  permissions: Deno.PermissionOptionsObject,
  attempts: Readonly<Record<string, string>>,
): Promise<void> {
  const outcomes = await attempt(permissions, attempts);
  for (const what of Object.keys(attempts)) {
    assert.equal(outcomes[what], "NotCapable", `${who} could ${what}`);
  }
}

/** A mail server as far as a connection goes. */
function listening(hostname: string, port = 0): Deno.TcpListener {
  return Deno.listen({ hostname, port });
}

const connect = (hostname: string, port: number) =>
  `Deno.connect(${JSON.stringify({ hostname, port })})`;

const IPV4 = ["127.0.0.1", "192.0.2.1"];
const NOBODY: NameServer = { host: "127.0.0.1", port: 1 };

Deno.test("the relay can connect to mail servers and name servers, and keep the spool", async () => {
  await using names = await startNameServer({ "far.example": { MX: [[10, "mx.far.example"]] } });
  using mx = listening("127.0.0.1");
  const { port } = mx.addr;
  using _other = listening("127.0.0.2", port);
  await withConfiguration(async ({ mail, ...configuration }, folder) => {
    const spool = `${folder}/spool`;
    const nameServer = { ipAddr: names.host, port: names.port };
    const attempts = {
      "connect": connect("127.0.0.1", port),
      "connect to any address": connect("127.0.0.2", port),
      "ask by UDP": `Deno.resolveDns("far.example.", "MX", ${JSON.stringify({ nameServer })})`,
      "ask by TCP": connect(names.host, names.port),
      "write": `Deno.writeTextFile("${spool}/tmp/x", "x")`,
      "move": `Deno.rename("${spool}/tmp/x", "${spool}/queue/x")`,
      "read": `Deno.readTextFile("${spool}/queue/x")`,
      "put aside": `Deno.rename("${spool}/queue/x", "${spool}/damaged/x")`,
      "remove": `Deno.remove("${spool}/damaged/x")`,
      "watch for requests": `Deno.watchFs("${spool}/requests")`,
    };
    const permissions = relayPermissions({ mail, ...configuration }, reachOf(IPV4, [names]));
    assert.ok(Array.isArray(permissions.net));
    const outcomes = await attempt(permissions, attempts);
    for (const what of Object.keys(attempts)) assert.equal(outcomes[what], "done", what);
  }, `RELAY_PORT = ${port}`);
});

/** What is no business of the relay's, wherever it may connect to. */
function noBusiness(folder: string): Record<string, string> {
  return {
    "read a file of the system": `Deno.readTextFile("/etc/passwd")`,
    "read a mailbox": `Array.fromAsync(Deno.readDir("${folder}/john"))`,
    "write a mailbox": `Deno.writeTextFile("${folder}/john/x", "x")`,
    "move a message into a mailbox":
      `Deno.writeTextFile("${folder}/spool/tmp/y", "y").then(() => Deno.rename("${folder}/spool/tmp/y", "${folder}/john/y"))`,
    "write beside the spool": `Deno.writeTextFile("${folder}/x", "x")`,
    "climb out of the spool": `Deno.writeTextFile("${folder}/spool/../x", "x")`,
    "read its configuration": `Deno.readTextFile("${folder}/mail.conf")`,
    "read the users": `Deno.readTextFile("${folder}/user.conf")`,
    "run a program": `new Deno.Command("/bin/sh").output()`,
    "read the environment": `Deno.env.get("HOME")`,
    "see all of the environment": `Deno.env.toObject()`,
    "ask for the host's name": `Deno.hostname()`,
    "list the network's interfaces": `Deno.networkInterfaces()`,
    "load a library": `Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {})`,
  };
}

Deno.test("the relay can do nothing else", () =>
  withConfiguration(async (configuration, folder) => {
    const { RELAY_PORT } = configuration.mail;
    await allForbidden("the relay", relayPermissions(configuration, reachOf(IPV4, [NOBODY])), {
      ...noBusiness(folder),
      "connect to another port": connect("127.0.0.1", RELAY_PORT + 1),
      "connect by IPv6": connect("::1", RELAY_PORT),
      "connect to another port of the name server": connect(NOBODY.host, NOBODY.port + 1),
      "listen": `Deno.listen({ hostname: "127.0.0.1", port: 0 })`,
      "listen everywhere": `Deno.listen({ hostname: "0.0.0.0", port: 0 })`,
    });
  }, `RELAY_PORT = ${freePort()}`));

Deno.test({
  ...skippable(
    "with IPv6 on loopback alone the relay gets that, and no more of it",
    hasIpv6() ? undefined : "this machine has no IPv6",
  ),
  fn: async () => {
    using mx = listening("::1");
    const { port } = mx.addr;
    await withConfiguration(async (configuration) => {
      const permissions = relayPermissions(configuration, reachOf([...IPV4, "::1"], [NOBODY]));
      assert.deepEqual(await attempt(permissions, { connect: connect("::1", port) }), {
        connect: "done",
      });
      await allForbidden("the relay", permissions, {
        "connect to another port": connect("::1", port - 1),
        "connect to the world": connect("2001:db8::1", port),
        "listen": `Deno.listen({ hostname: "::1", port: 0 })`,
      });
    }, `RELAY_PORT = ${port}`);
  },
});

Deno.test("with IPv6 to the world the relay has all the net, and nothing else", () =>
  withConfiguration(async (configuration, folder) => {
    const reach = reachOf([...IPV4, "::1", "2001:db8::1"], [NOBODY]);
    const permissions = relayPermissions(configuration, reach);
    assert.equal(permissions.net, true);
    await allForbidden("the relay", permissions, noBusiness(folder));
  }));

/** A pair as certbot keeps it, named by links: lines of mail.conf, and the paths of links and targets. */
async function linkedPair(folder: string) {
  const pair = { links: [] as string[], targets: [] as string[], settings: "" };
  for (const [setting, name] of [["TLS_CERT", "fullchain"], ["TLS_KEY", "privkey"]] as const) {
    const link = `${folder}/live/me.example/${name}.pem`;
    const target = `${folder}/archive/me.example/${name}1.pem`;
    await Deno.mkdir(`${folder}/live/me.example`, { recursive: true });
    await Deno.mkdir(`${folder}/archive/me.example`, { recursive: true });
    await Deno.writeTextFile(target, name);
    await Deno.symlink(`../../archive/me.example/${name}1.pem`, link);
    pair.links.push(link);
    pair.targets.push(target);
    pair.settings += `${setting} = ${link}\n`;
  }
  return pair;
}

Deno.test("the receiver can read the certificate and its key, also through links, and not change them", async () => {
  await using folder = await makeFolder();
  const { links, targets, settings } = await linkedPair(folder.path);
  await withConfiguration(async (configuration) => {
    const permissions = receiverRights(configuration);
    for (const link of links) {
      const allowed = {
        "read": `Deno.readTextFile("${link}")`,
        "look at": `Deno.stat("${link}")`,
      };
      assert.deepEqual(await attempt(permissions, allowed), { "read": "done", "look at": "done" });
    }
    for (const path of [...links, ...targets]) {
      await allForbidden("the receiver", permissions, {
        "write": `Deno.writeTextFile("${path}", "x")`,
        "remove": `Deno.remove("${path}")`,
        "put something in its place": `Deno.rename("${folder.path}/x", "${path}")`,
        "change its rights": `Deno.chmod("${path}", 0o644)`,
      });
    }
    await allForbidden("the receiver", permissions, {
      "list what is beside it": `Array.fromAsync(Deno.readDir("${folder.path}/live/me.example"))`,
      "read an older key": `Deno.readTextFile("${targets[1]}")`,
    });
    // The next one has another name.
    const renewed = `${folder.path}/archive/me.example/privkey2.pem`;
    await Deno.writeTextFile(renewed, "renewed");
    await Deno.remove(links[1]!);
    await Deno.symlink("../../archive/me.example/privkey2.pem", links[1]!);
    const read = { "read": `Deno.readTextFile("${links[1]}")` };
    assert.deepEqual(await attempt(permissions, read), { "read": "done" });
  }, settings);
});

Deno.test("the relay can see neither certificate nor key, with all the net or without", async () => {
  await using folder = await makeFolder();
  const { links, targets, settings } = await linkedPair(folder.path);
  await withConfiguration(async (configuration) => {
    for (const addresses of [IPV4, [...IPV4, "::1", "2001:db8::1"]]) {
      const permissions = relayPermissions(configuration, reachOf(addresses, [NOBODY]));
      for (const path of [...links, ...targets]) {
        await allForbidden("the relay", permissions, {
          "read": `Deno.readTextFile("${path}")`,
          "look at": `Deno.stat("${path}")`,
          "follow": `Deno.readLink("${path}")`,
          "link": `Deno.link("${path}", "${configuration.mail.SPOOL_DIR}/tmp/x")`,
          "write": `Deno.writeTextFile("${path}", "x")`,
        });
      }
    }
  }, settings);
});

for (const ipv6 of [[], ["::1", "2001:db8::1"]]) {
  Deno.test(`with an address as RELAY_HOST the relay connects there alone, IPv6 or not (${ipv6})`, async () => {
    using host = listening("127.0.0.1");
    const { port } = host.addr;
    await withConfiguration(async (configuration, folder) => {
      const reach = reachOf([...IPV4, ...ipv6], [NOBODY]);
      const permissions = relayPermissions(configuration, reach);
      assert.deepEqual(permissions.net, [`127.0.0.1:${port}`]);
      assert.deepEqual(await attempt(permissions, { connect: connect("127.0.0.1", port) }), {
        connect: "done",
      });
      await allForbidden("the relay", permissions, {
        ...noBusiness(folder),
        "connect to another address": connect("127.0.0.2", port),
        "connect to another port": connect("127.0.0.1", port - 1),
        "ask a name server": connect(NOBODY.host, NOBODY.port),
      });
    }, `RELAY_HOST = 127.0.0.1:${port}`);
  });
}

for (
  const [settings, net] of [
    ["", ["0.0.0.0/0:25", "0.0.0.0/0:443"]],
    ["RELAY_TLS = verify", ["0.0.0.0/0:25", "0.0.0.0/0:443"]],
    ["RELAY_TLS_FOR = x.test:none", ["0.0.0.0/0:25", "0.0.0.0/0:443"]],
    ["RELAY_TLS = none", ["0.0.0.0/0:25"]],
    ["RELAY_HOST = mx.example:587", ["0.0.0.0/0:587"]],
  ] as const
) {
  Deno.test(`the relay reaches the policies of domains where they count (${settings || "presets"})`, () =>
    withConfiguration((configuration) => {
      const local = reachOf([...IPV4, "::1"], [NOBODY]);
      const own = net.map((one) => one.replace("0.0.0.0/0", "[::1]"));
      const servers = [`${NOBODY.host}:${NOBODY.port}`];
      const granted = (reach: Reach) => relayPermissions(configuration, reach).net;
      assert.deepEqual(granted(reachOf(IPV4, [NOBODY])), [...net, ...servers]);
      assert.deepEqual(granted(local), [...net, ...own, ...servers]);
      return Promise.resolve();
    }, settings));
}

Deno.test("the main thread keeps what other threads may need later, and nothing else", async () => {
  const file = await Deno.makeTempFile({ prefix: "denosmtpd-test-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      `import { dropPermissions } from ${JSON.stringify(PERMISSIONS)};
       await dropPermissions();
       for (const name of ["net", "read", "write", "env", "run", "ffi", "import"]) {
         console.log(name, (await Deno.permissions.query({ name })).state === "granted");
       }
       const space = { name: "sys", kind: "statfs" };
       console.log("statfs", (await Deno.permissions.query(space)).state === "granted");`,
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--quiet", `--config=${CONFIG}`, ...ALL, file],
    }).output();
    assert.deepEqual(new TextDecoder().decode(stdout).trimEnd().split("\n"), [
      "net true",
      "read true",
      "write true",
      "env false",
      "run false",
      "ffi false",
      "import false",
      "statfs true",
    ]);
  } finally {
    await Deno.remove(file);
  }
});
