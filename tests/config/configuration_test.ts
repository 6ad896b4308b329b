/** Both files together: everything that is wrong in either, and what they say to each other. */

import assert from "node:assert/strict";
import {
  addressBook,
  type Configuration,
  readConfiguration,
} from "../../src/config/configuration.ts";
import { ConfigurationError, problemAt, problemText } from "../../src/config/problem.ts";
import { mailboxDirectories } from "../../src/config/user_conf.ts";
import { makeFolder } from "../support/folder.ts";

const SYSTEM = {
  hostName: () => "system.example",
  addresses: () => [],
  stateDirectory: () => undefined,
};

/** Reads these two files, and such others as are named; FOLDER in a file is where they are. */
async function read(
  mail: string | undefined,
  users: string | undefined,
  others: readonly string[] = [],
): Promise<Configuration> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  const write = (name: string, content: string | undefined) =>
    content === undefined
      ? undefined
      : Deno.writeTextFile(`${folder}/${name}`, content.replaceAll("FOLDER", folder));
  try {
    await write("mail.conf", mail);
    await write("user.conf", users);
    for (const name of others) await write(name, "");
    return await readConfiguration(`${folder}/mail.conf`, `${folder}/user.conf`, SYSTEM);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is wrong, each as `file:line: message` with the folder left out. */
async function problems(...files: Parameters<typeof read>): Promise<string[]> {
  try {
    await read(...files);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error.problems.map((problem) => {
      const text = problemText(problem).replaceAll(/\/[^ "]*\/denosmtpd-test-[^/]*\//g, "");
      assert.doesNotMatch(text, /\n/, "one line each");
      return text;
    });
  }
  throw new assert.AssertionError({ message: "the files were read" });
}

Deno.test("pySMTPD's samples load as they are", async () => {
  const configuration = await read(
    "HOSTNAME = myemail.com \nLISTEN_ADDR = 0.0.0.0\n\n",
    "john:/tmp/mbox/john/\njack:/tmp/mbox/jack/ \n\n",
  );
  assert.equal(configuration.mail.HOSTNAME, "myemail.com");
  assert.deepEqual(mailboxDirectories(configuration), ["/tmp/mbox/john", "/tmp/mbox/jack"]);
  const book = addressBook(configuration);
  assert.equal(book.isLocal("MyEmail.com"), true);
  assert.deepEqual(book.find("john")?.directories, ["/tmp/mbox/john"]);
});

Deno.test("pySMTPD's HOSTNAME that is an address loads and is local", async () => {
  const configuration = await read("HOSTNAME = [109.43.197.25]\n", "john:/x\n");
  assert.equal(addressBook(configuration).isLocal("[109.43.197.25]"), true);
});

Deno.test("a configuration knows its files and lines, for messages", async () => {
  const configuration = await read("\nLISTEN_PORT = 1\n", "john:/x\n");
  assert.match(configuration.files.mail, /\/mail\.conf$/);
  assert.match(configuration.files.users, /\/user\.conf$/);
  assert.deepEqual(problemAt(configuration, "LISTEN_PORT", "is taken"), {
    file: configuration.files.mail,
    line: 2,
    message: "LISTEN_PORT: is taken",
  });
  assert.equal(problemAt(configuration, "WORKERS", "x").line, undefined);
});

Deno.test("the host name, further domains and the addresses listened on are local (53-20)", async () => {
  const book = addressBook(
    await read(
      "HOSTNAME = me.example\nLOCAL_DOMAINS = a.example, [192.0.2.9]\n" +
        "LISTEN_ADDR = 192.0.2.1, 2001:db8::1\n",
      "john:/x\n",
    ),
  );
  const local = ["me.example", "A.EXAMPLE", "[192.0.2.9]", "[192.0.2.1]", "[IPv6:2001:db8::1]", ""];
  for (const domain of local) assert.equal(book.isLocal(domain), true, domain);
  for (const domain of ["system.example", "b.example", "[192.0.2.2]", "192.0.2.1"]) {
    assert.equal(book.isLocal(domain), false, domain);
  }
});

Deno.test("each mailbox directory is named once, and forwards have none", async () => {
  const configuration = await read(
    "",
    "john:/x\njack:/y/\njim:/x/\nstaff:john@system.example\n*:/z\n",
  );
  assert.deepEqual(mailboxDirectories(configuration), ["/x", "/y", "/z"]);
});

Deno.test("what is wrong in both files is told at once, mail.conf first", async () => {
  assert.deepEqual(await problems("LISTEN_PORT = x\nNONSENSE\n", "john\n:/x\n"), [
    'mail.conf:1: LISTEN_PORT: "x" is no whole number from 0 to 65535',
    "mail.conf:2: is not of the form NAME = value",
    "user.conf:1: is not of the form name:directory or name:address, address",
    'user.conf:2: "" is no user name, write what stands before the @ of the address, in ASCII',
  ]);
});

Deno.test("files that are missing are told at once", async () => {
  assert.deepEqual(await problems(undefined, undefined), [
    "mail.conf: there is no such file",
    "user.conf: there is no such file",
  ]);
  assert.deepEqual(await problems("WORKERS = 0\n", undefined), [
    'mail.conf:1: WORKERS: "0" is no whole number from 1 to 64',
    "user.conf: there is no such file",
  ]);
});

Deno.test("files that mail.conf names must be there", async () => {
  const mail = "TLS_CERT = FOLDER/cert.pem\nTLS_KEY = FOLDER/key.pem\n\n" +
    "RELAY_LOGIN_FILE = FOLDER/login\nRELAY_HOST = mx.example\n";
  assert.deepEqual(await problems(mail, "john:/x\n", ["key.pem"]), [
    "mail.conf:1: TLS_CERT: cert.pem: there is no such file",
    "mail.conf:4: RELAY_LOGIN_FILE: login: there is no such file",
  ]);
  const other = mail.replace(/^RELAY.*$/gm, "");
  const { mail: conf } = await read(other, "john:/x\n", ["cert.pem", "key.pem"]);
  assert.match(conf.TLS_CERT!, /cert\.pem$/);
});

Deno.test("the key lies where the relay cannot read it", async () => {
  const mail = "TLS_CERT = FOLDER/cert.pem\nTLS_KEY = FOLDER/key.pem\nHOSTNAME = me.example\n";
  const files = ["cert.pem", "key.pem"];
  assert.equal((await problems(`${mail}SPOOL_DIR = FOLDER\n`, "john:/x\n", files)).length, 1);
  await read(`${mail}SPOOL_DIR = FOLDER/key\n`, "john:/x\n", files);
});

Deno.test("the login lies where receivers cannot read it, and the relay may", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  await Deno.mkdir(`${path}/spool/queue`, { recursive: true });
  await Deno.mkdir(`${path}/mail/jones`, { recursive: true });
  const mail = `HOSTNAME = me.example\nSPOOL_DIR = ${path}/spool\nRELAY_HOST = mx.example\n`;
  const told = async (login: string) => {
    await Deno.writeTextFile(login, "jones:secret\n", { mode: 0o600 });
    const conf = `${mail}RELAY_LOGIN_FILE = ${login}\n`;
    return await problems(conf, `jones:${path}/mail/jones\n`).catch(() => []);
  };
  for (const within of ["spool/queue", "mail/jones"]) {
    const [problem] = await told(`${path}/${within}/login`);
    assert.match(
      problem ?? "",
      /^mail\.conf:4: RELAY_LOGIN_FILE: needs a place outside of .*receivers/,
    );
  }
  for (const within of ["spool", "mail", "."]) {
    assert.deepEqual(await told(`${path}/${within}/login`), []);
  }
});

Deno.test("hashes of passwords lie where the relay cannot read them", async () => {
  const conf = "HOSTNAME = me.example\nSPOOL_DIR = FOLDER\n";
  const hash =
    "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
  const [problem, ...more] = await problems(conf, `jones:/x:${hash}\n`);
  assert.match(problem ?? "", /^user\.conf: holds passwords, .* outside of SPOOL_DIR /);
  assert.deepEqual(more, []);
  await read(conf, "jones:/x\n");
});

Deno.test("a login in place of its file's name is not repeated", async () => {
  const conf = "RELAY_HOST = mx.example\nRELAY_LOGIN_FILE = jones:secret\n";
  assert.deepEqual(await problems(conf, "john:/x\n"), [
    "mail.conf:2: RELAY_LOGIN_FILE: the file that it names: there is no such file",
  ]);
});

Deno.test("of files that are named in the wrong order no password is repeated", async () => {
  const found = await problems("john:/x:se=cret\nsecret\njack:/y:secret\n", "NAME = secret\n");
  assert.deepEqual(found, [
    "mail.conf:1: begins with no name, write NAME = value",
    "mail.conf:2: is not of the form NAME = value",
    "mail.conf:3: is not of the form NAME = value",
    "user.conf:1: is not of the form name:directory or name:address, address",
  ]);
});

Deno.test("forwards in a circle or to nobody are told with their lines", async () => {
  const users = [
    "jones:/jones",
    "a:b@me.example",
    "b:a@ME.EXAMPLE, jones@me.example",
    "c:green@me.example",
    "d:jones@me.example, fred@far.example",
    "e:c@me.example",
  ];
  assert.deepEqual(await problems("HOSTNAME = me.example\n", users.join("\n")), [
    "user.conf:2: a: forwards go in a circle: a -> b -> a",
    "user.conf:3: b: forwards go in a circle: b -> a -> b",
    "user.conf:4: c: forwards to green@me.example, but there is no such user",
    "user.conf:6: e: forwards to green@me.example, but there is no such user",
  ]);
});

Deno.test("whether a forward stays here is up to mail.conf", async () => {
  const users = "a:a@other.example\njohn:mail/john\n";
  const { users: [a] } = await read("HOSTNAME = me.example\n", users);
  assert.ok(a && "forwards" in a.target);
  assert.deepEqual(
    await problems("HOSTNAME = me.example\nLOCAL_DOMAINS = other.example\n", users),
    [
      "user.conf:1: a: forwards go in a circle: a -> a",
    ],
  );
});

Deno.test("the configuration can be sent to a worker", async () => {
  const configuration = await read("", "john:/x\nstaff:fred@far.example\n");
  assert.deepEqual(structuredClone(configuration), configuration);
});

Deno.test("a directory that is called like a user is most likely that user", async () => {
  assert.deepEqual(await problems("HOSTNAME = me.example\n", "john:mail/john\nstaff:John\n"), [
    'user.conf:2: staff: "John" is a user: write john@me.example to forward, ./John for a directory',
  ]);
});

Deno.test("a directory that is called like its own user is a directory", async () => {
  const { users: [john] } = await read("", "john:john\n");
  assert.deepEqual(john?.target, { directory: "john" });
});

Deno.test("the postmaster's mail may be forwarded to another host", async () => {
  const conf = "HOSTNAME = me.example\n";
  await read(conf, "a:a@far.example\n");
  await read(conf, "john:/x\npostmaster:a@far.example\n");
});

Deno.test("the queue and a mailbox have places apart", async () => {
  const apart = (directory: string) =>
    `mail.conf:2: SPOOL_DIR: the queue in /var/spool and the mailbox ${directory} need places apart`;
  const conf = "HOSTNAME = me.example\nSPOOL_DIR = /var/spool/\n";
  for (const directory of ["/var/spool", "/var/spool/jones", "/var/x/../spool"]) {
    assert.deepEqual(await problems(conf, `jones:${directory}\n`), [apart(directory)]);
  }
  // Beside a mailbox's own parts there is room, also for what `.` and `spool` are.
  for (const directory of ["/var/spools", "/var/spoo", "/var/mail/spool", "/var", "/"]) {
    await read(conf, `jones:${directory}\n`);
  }
  const inNew = "HOSTNAME = me.example\nSPOOL_DIR = /mail/new\n";
  assert.equal((await problems(inNew, "jones:/mail\n")).length, 1);
});
