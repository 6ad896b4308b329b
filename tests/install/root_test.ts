/** What install.sh does to a whole system, as root. */

import assert from "node:assert/strict";
import { type FreshRoot, makeFreshRoot, testInRoot } from "./fresh_root.ts";
import { assertDone, assertRefused, type Kit, makeKit } from "./kit.ts";
import { stub } from "./stub.ts";

const INSTALL = ["sh", "/tmp/kit/install.sh", "--from", "/tmp/kit/release/denosmtpd", "--yes"];
const UNINSTALL = ["sh", "/tmp/kit/install.sh", "--uninstall", "--yes"];
const ACCOUNTS = ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"];

/** A test with a root of its own; the machine's accounts must not change by it. */
function test(name: string, fn: (root: FreshRoot, kit: Kit) => Promise<void>): void {
  testInRoot(name, async () => {
    const accounts = () => Promise.all(ACCOUNTS.map((file) => Deno.readTextFile(file)));
    const before = await accounts();
    await using kit = await makeKit();
    await using root = await makeFreshRoot(kit.folder);
    await fn(root, kit);
    assert.deepEqual(await accounts(), before);
  });
}

/** What was made, without the files of accounts and the directories that were there before. */
async function made(root: FreshRoot): Promise<string[]> {
  const lines = await root.changes();
  return lines.filter((line) => {
    const path = line.split(" ")[0]!;
    const ofAccounts = /^etc\/(\.pwd\.lock|(passwd|shadow|group|gshadow|subuid|subgid)-?)$/;
    return !ofAccounts.test(path) && path !== "var/log/lastlog" && !isDirectory(`/${path}`);
  });
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

test("a first installation makes these files and a user, and says what is left to do", async (root) => {
  const done = await root.run(INSTALL);
  assertDone(done);
  assert.deepEqual(await made(root), [
    "etc/denosmtpd d 750 root denosmtpd",
    "etc/denosmtpd/mail.conf f 640 root denosmtpd",
    "etc/denosmtpd/user.conf f 640 root denosmtpd",
    "etc/sysctl.d/60-denosmtpd.conf f 644 root root",
    "etc/systemd/system/denosmtpd.service f 644 root root",
    "usr/local/bin/denosmtpd f 755 root root",
    "var/lib/denosmtpd d 700 denosmtpd denosmtpd",
    "var/lib/denosmtpd/mail d 700 denosmtpd denosmtpd",
  ]);
  const account = await root.sh("getent passwd denosmtpd");
  assert.match(account, /^denosmtpd:[^:]*:\d+:\d+:[^:]*:\/var\/lib\/denosmtpd:\/\S*\/nologin\n$/);
  assert.ok(Number(account.split(":")[2]) < 1000, "a user of the system");
  assert.equal(await root.sh("id -Gn denosmtpd"), "denosmtpd\n");
  assert.match(done.out, /^made +\/usr\/local\/bin\/denosmtpd: denosmtpd 1\.0\.0 \(stub\)$/m);
  for (
    const step of [/set HOSTNAME,/, /MX record/, /Open TCP port 25/, /denosmtpd check \/etc/]
  ) {
    assert.match(done.out, step);
  }
});

test("another user reads neither configuration nor mail", async (root) => {
  assertDone(await root.run(INSTALL));
  for (
    const command of [
      ["ls", "/var/lib/denosmtpd"],
      ["ls", "/var/lib/denosmtpd/mail"],
      ["ls", "/etc/denosmtpd"],
      ["cat", "/etc/denosmtpd/user.conf"],
    ]
  ) {
    assert.match((await root.run(command, { user: "65534" })).err, /Permission denied/);
    assertDone(await root.run(command, { user: "denosmtpd" }));
  }
  const writing = await root.run(["sh", "-c", ">>/etc/denosmtpd/user.conf"], { user: "denosmtpd" });
  assert.match(writing.err, /Permission denied/);
});

test("a second installation changes nothing and says so", async (root) => {
  assertDone(await root.run(INSTALL));
  const before = await root.exactChanges();
  const again = await root.run(INSTALL);
  assertDone(again);
  assert.doesNotMatch(again.out, /^(made|replaced)/m);
  assert.match(again.out, /\n\nEverything is up to date\.\n$/);
  assert.equal(await root.exactChanges(), before);
});

test("an upgrade keeps configuration and mail as they are", async (root, kit) => {
  assertDone(await root.run(INSTALL));
  await root.sh(`echo 'HOSTNAME = mine.example' >/etc/denosmtpd/mail.conf
    chmod 0644 /etc/denosmtpd/mail.conf
    chmod 0750 /var/lib/denosmtpd
    echo Hello >/var/lib/denosmtpd/mail/message`);
  const rest = async () => {
    const lines = (await root.exactChanges()).split("\n");
    return lines.filter((line) => !line.startsWith("usr/local/bin"));
  };
  const before = await rest();
  await Deno.writeFile(kit.executable, stub("denosmtpd 2.0.0 (stub)"));
  const upgraded = await root.run(INSTALL);
  assertDone(upgraded);
  assert.match(
    upgraded.out,
    /^replaced +\/usr\/local\/bin\/denosmtpd: denosmtpd 2\.0\.0 \(stub\)$/m,
  );
  assert.equal(await root.sh("denosmtpd --version"), "denosmtpd 2.0.0 (stub)\n");
  assert.deepEqual(await rest(), before);
  assert.equal(await root.sh("cat /etc/denosmtpd/mail.conf"), "HOSTNAME = mine.example\n");
});

test("what does not run replaces nothing", async (root, kit) => {
  assertDone(await root.run(INSTALL));
  const before = await root.exactChanges();
  await Deno.copyFile("/bin/false", kit.executable);
  const { code, err } = await root.run(INSTALL);
  assert.match(err, /^install\.sh: \S+\/release\/denosmtpd does not run here/);
  assert.equal(code, 1);
  const named = (list: string) => list.split("\n").filter((line) => !/ d /.test(line));
  assert.deepEqual(named(await root.exactChanges()), named(before));
});

test("--uninstall leaves configuration, mail and user, and a new installation takes them", async (root) => {
  assertDone(await root.run(INSTALL));
  await root.sh("echo Hello >/var/lib/denosmtpd/mail/message");
  const removed = await root.run(UNINSTALL);
  assertDone(removed);
  assert.match(
    removed.out,
    /rm -r \/etc\/denosmtpd$[^]*rm -r \/var\/lib\/denosmtpd$[^]*userdel denosmtpd$/m,
  );
  const left = [
    "etc/denosmtpd d 750 root denosmtpd",
    "etc/denosmtpd/mail.conf f 640 root denosmtpd",
    "etc/denosmtpd/user.conf f 640 root denosmtpd",
    "var/lib/denosmtpd d 700 denosmtpd denosmtpd",
    "var/lib/denosmtpd/mail d 700 denosmtpd denosmtpd",
    "var/lib/denosmtpd/mail/message f 644 root root",
  ];
  assert.deepEqual(await made(root), left);
  const again = await root.run(INSTALL);
  assertDone(again);
  assert.match(again.out, /^kept +user and group denosmtpd$/m);
  assert.deepEqual(
    (await made(root)).filter((line) => !/ (755|644) root root$/.test(line)),
    left.slice(0, -1),
  );
});

test("an executable of another owner is replaced", async (root) => {
  assertDone(await root.run(INSTALL));
  await root.sh("chown 65534 /usr/local/bin/denosmtpd");
  assert.match((await root.run(INSTALL)).out, /^replaced +\/usr\/local\/bin\/denosmtpd: /m);
  assert.match((await made(root)).join("\n"), /^usr\/local\/bin\/denosmtpd f 755 root root$/m);
});

test("nothing is done inside a directory that is the daemon's", async (root) => {
  assertDone(await root.run(INSTALL));
  await root.sh("rmdir /var/lib/denosmtpd/mail && ln -s /etc /var/lib/denosmtpd/mail");
  const before = await root.exactChanges();
  assertDone(await root.run(INSTALL));
  assert.equal(await root.exactChanges(), before);
});

test("a state directory of another owner is told of", async (root) => {
  await root.sh("mkdir /var/lib/denosmtpd");
  assertDone(await root.run(INSTALL));
  const again = await root.run(INSTALL);
  assert.match(again.out, /^kept +\/var\/lib\/denosmtpd\n.*chown -R denosmtpd:denosmtpd/m);
});

test("--dry-run and a refusal change nothing at all", async (root, kit) => {
  const files = () => root.sh("find /tmp/changes ! -type d");
  const planned = await root.run([...INSTALL, "--dry-run"]);
  assertDone(planned);
  assert.match(planned.out, /^would make +user and group denosmtpd$/m);
  assertRefused(await root.run([...INSTALL, "--start"]), /--start needs systemd/);
  assertRefused(await root.run(INSTALL.slice(0, -1)), /--yes is needed/);
  const inHome = [...INSTALL, "--prefix", "/home/john"];
  assertRefused(await root.run(inHome), /the service may not look into \/home/);
  await Deno.writeTextFile(kit.executable, "#!/bin/sh\n");
  assertRefused(await root.run(INSTALL), /is no executable/);
  assert.equal(await files(), "");
  assert.deepEqual((await root.sh("ls /tmp")).trim().split("\n"), ["changes", "kit"]);
});

test("without useradd the user is made by adduser and addgroup", async (root, kit) => {
  await root.sh("rm /usr/sbin/useradd /usr/sbin/groupadd");
  for (
    const [program, makes] of [["addgroup", "/etc/group"], ["adduser", "/etc/passwd"]] as const
  ) {
    const line = program === "addgroup" ? "denosmtpd:x:990:" : "denosmtpd:x:990:990::/:/bin/false";
    await kit.fake(program, `echo ${program} "$@" >>/tmp/called; echo ${line} >>${makes}`);
  }
  assertDone(await root.run(INSTALL));
  assert.match(
    await root.sh("cat /tmp/called"),
    /^addgroup -S denosmtpd\nadduser -S -D -H -h \/var\/lib\/denosmtpd -s \S+\/nologin -G denosmtpd denosmtpd\n$/,
  );
  assert.match((await made(root)).join("\n"), /^var\/lib\/denosmtpd d 700 denosmtpd denosmtpd$/m);
});

test("without a program that makes users the user must be there", async (root) => {
  await root.sh("cd /usr/sbin && rm -f useradd adduser");
  assertRefused(await root.run(INSTALL), /neither useradd nor adduser: make a user and a group/);
  await root.sh("echo denosmtpd:x:990: >>/etc/group");
  await root.sh("echo denosmtpd:x:990:990::/:/bin/false >>/etc/passwd");
  assertDone(await root.run(INSTALL));
});

test("SELinux hears of what is new", async (root, kit) => {
  await kit.fake("restorecon", 'echo "$@" >>/tmp/called');
  assertDone(await root.run(INSTALL));
  assert.deepEqual((await root.sh("cat /tmp/called")).trimEnd().split("\n"), [
    "-R /usr/local/bin/denosmtpd",
    "-R /etc/denosmtpd",
    "-R /etc/denosmtpd/mail.conf",
    "-R /etc/denosmtpd/user.conf",
    "-R /var/lib/denosmtpd",
    "-R /etc/systemd/system/denosmtpd.service",
    "-R /etc/sysctl.d/60-denosmtpd.conf",
  ]);
});

const SETTING = "/etc/sysctl.d/60-denosmtpd.conf";

test(
  "the kernel hears of its setting at once, and again only when that is another one",
  async (root, kit) => {
    // It must hold what it sets by then.
    await kit.fake("sysctl", 'echo "$*: $(grep -c tcp_migrate_req "$3")" >>/tmp/called');
    const called = async (command: readonly string[]) => {
      await root.sh(">/tmp/called");
      const done = await root.run(command);
      assertDone(done);
      return { out: done.out, calls: await root.sh("cat /tmp/called") };
    };
    const applied = `-q -p ${SETTING}: 1\n`;
    assert.equal((await called([...INSTALL, "--dry-run"])).calls, "");
    assert.equal((await called(INSTALL)).calls, applied);
    assert.equal((await called(INSTALL)).calls, "");
    await root.sh(`echo >>${SETTING}`);
    const mended = await called(INSTALL);
    assert.equal(mended.calls, applied);
    assert.match(mended.out, /^replaced +\/etc\/sysctl\.d\/60-denosmtpd\.conf$/m);
    const removed = await called(UNINSTALL);
    assert.equal(removed.calls, "");
    assert.match(removed.out, /^removed +\/etc\/sysctl\.d\/60-denosmtpd\.conf$/m);
    assert.doesNotMatch((await made(root)).join("\n"), /sysctl/);
  },
);

test("a kernel that refuses its setting does not hinder the installation", async (root, kit) => {
  await kit.fake("sysctl", "echo refused; echo refused >&2; exit 1");
  const done = await root.run(INSTALL);
  assertDone(done);
  assert.match(done.out, /^made +\/etc\/sysctl\.d\/60-denosmtpd\.conf\n\nWhat is left to do/m);
  assert.doesNotMatch(done.out, /refused/);
});

/** Stands for systemctl: tells what it is called for, and knows what was started and enabled. */
const SYSTEMCTL = `echo "$*" >>/tmp/called
case "$1 $2" in
"enable "* | "restart "*) touch "/tmp/$1" ;;
"--quiet is-enabled") [ -e /tmp/enable ] ;;
"--quiet is-active") [ -e /tmp/restart ] ;;
esac`;

test("where systemd runs, it hears of the unit, and starts it only if asked", async (root, kit) => {
  await kit.fake("systemctl", SYSTEMCTL);
  await root.sh("mkdir -p /run/systemd/system");
  const called = async (command: readonly string[]) => {
    await root.sh(">/tmp/called");
    const done = await root.run(command);
    assertDone(done);
    const calls = (await root.sh("cat /tmp/called")).split("\n");
    return {
      out: done.out,
      calls: calls.filter((call) => call !== "" && !call.startsWith("--quiet")),
    };
  };
  const first = await called(INSTALL);
  assert.deepEqual(first.calls, ["daemon-reload"]);
  assert.match(first.out, /systemctl enable --now denosmtpd\n$/);
  const start = ["enable denosmtpd", "restart denosmtpd"];
  assert.deepEqual((await called([...INSTALL, "--start"])).calls, start);
  const again = await called([...INSTALL, "--start"]);
  assert.deepEqual(again.calls, []);
  assert.match(
    again.out,
    /^kept +the service, which is enabled and runs\n\nEverything is up to date/m,
  );
  await Deno.writeFile(kit.executable, stub("denosmtpd 2.0.0 (stub)"));
  const upgraded = await called(INSTALL);
  assert.deepEqual(upgraded.calls, []);
  assert.match(
    upgraded.out,
    /A restart takes the new version:\n\n +systemctl restart denosmtpd\n$/,
  );
  await Deno.writeFile(kit.executable, stub("denosmtpd 3.0.0 (stub)"));
  assert.deepEqual((await called([...INSTALL, "--start"])).calls, start);
  assert.deepEqual((await called(UNINSTALL)).calls, ["disable --now denosmtpd", "daemon-reload"]);
});

test("a service that does not start or stop is told of", async (root, kit) => {
  await kit.fake("systemctl", "case $1 in restart | disable) exit 1 ;; esac");
  await root.sh("mkdir -p /run/systemd/system");
  const { code, err } = await root.run([...INSTALL, "--start"]);
  assert.match(err, /the service did not start: journalctl -u denosmtpd says why\n$/);
  assert.equal(code, 1);
  assert.equal((await root.run(UNINSTALL)).code, 1);
  assert.match((await made(root)).join("\n"), /^usr\/local\/bin\/denosmtpd f/m);
});

test("a unit that is masked stays so", async (root) => {
  await root.sh("ln -s /dev/null /etc/systemd/system/denosmtpd.service");
  const done = await root.run(INSTALL);
  assertDone(done);
  assert.match(done.out, /^kept +\/etc\/systemd\/system\/denosmtpd\.service, which is masked$/m);
  assert.equal(await root.sh("readlink /etc/systemd/system/denosmtpd.service"), "/dev/null\n");
});
