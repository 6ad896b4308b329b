/** With DESTDIR install.sh makes a tree for a package, and touches nothing else. */

import assert from "node:assert/strict";
import { assertDone, type Kit, makeKit } from "./kit.ts";
import { stub } from "./stub.ts";

/** Files and directories of the tree with their modes. */
async function modes(kit: Kit): Promise<string[]> {
  const lines = (await kit.list(kit.tree)).split("\n").slice(1);
  return lines.map((line) => line.split(" ")).map(([path, , mode]) => `${path} ${mode}`);
}

Deno.test("the tree has executable, configuration, unit and kernel setting, and nothing else is changed", async () => {
  await using kit = await makeKit();
  // What a package holds is for another machine.
  await kit.fake("sysctl", `echo called >>${kit.folder}/tmp/called`);
  const before = await kit.list();
  const done = await kit.install(["--prefix", "/usr/"]);
  assertDone(done);
  assert.match(done.out, /make a system user and group denosmtpd/);
  assert.deepEqual(await modes(kit), [
    "etc 755",
    "etc/denosmtpd 750",
    "etc/denosmtpd/mail.conf 640",
    "etc/denosmtpd/user.conf 640",
    "usr 755",
    "usr/bin 755",
    "usr/bin/denosmtpd 755",
    "usr/lib 755",
    "usr/lib/sysctl.d 755",
    "usr/lib/sysctl.d/60-denosmtpd.conf 644",
    "usr/lib/systemd 755",
    "usr/lib/systemd/system 755",
    "usr/lib/systemd/system/denosmtpd.service 644",
  ]);
  await Deno.remove(kit.tree, { recursive: true });
  assert.equal(await kit.list(), before);
});

Deno.test("the unit starts the executable of the prefix", async () => {
  await using kit = await makeKit();
  assertDone(await kit.install(["--prefix", "/opt/mail"]));
  const unit = await Deno.readTextFile(`${kit.tree}/usr/lib/systemd/system/denosmtpd.service`);
  const files = "/etc/denosmtpd/mail.conf /etc/denosmtpd/user.conf";
  assert.match(unit, new RegExp(`^ExecStart=/opt/mail/bin/denosmtpd ${files}$`, "m"));
  assert.doesNotMatch(unit, /usr\/local/);
});

Deno.test("--no-service leaves unit and kernel setting out", async () => {
  await using kit = await makeKit();
  assertDone(await kit.install(["--no-service"]));
  assert.doesNotMatch(await kit.list(), /^tree\S+(\.service|sysctl)/m);
});

Deno.test("a second time changes nothing and says so", async () => {
  await using kit = await makeKit();
  assertDone(await kit.install());
  const before = await kit.list(kit.tree);
  const again = await kit.install();
  assertDone(again);
  assert.deepEqual(again.out.trimEnd().split("\n").map((line) => line.split(" ")[0]), [
    "kept",
    "kept",
    "kept",
    "kept",
    "kept",
    "",
    "Everything",
  ]);
  assert.equal(await kit.list(kit.tree), before);
});

Deno.test("an upgrade replaces executable and unit, and keeps the configuration", async () => {
  await using kit = await makeKit();
  assertDone(await kit.install());
  const before = await kit.list(kit.tree);
  const mailConf = `${kit.tree}/etc/denosmtpd/mail.conf`;
  await Deno.writeTextFile(mailConf, "HOSTNAME = mine.example\n");
  await Deno.writeFile(kit.executable, stub("denosmtpd 2.0.0 (stub)"));
  await Deno.writeTextFile(`${kit.folder}/conf/denosmtpd.service`, "[Service]\n");
  const upgraded = await kit.install();
  assertDone(upgraded);
  assert.deepEqual(
    upgraded.out.match(/^\w+ (?=.*tree)/gm),
    [
      "replaced ",
      "kept ",
      "kept ",
      "replaced ",
      "kept ",
    ],
  );
  assert.equal(await Deno.readTextFile(mailConf), "HOSTNAME = mine.example\n");
  const exe = `${kit.tree}/usr/local/bin/denosmtpd`;
  assert.deepEqual(await Deno.readFile(exe), await Deno.readFile(kit.executable));
  // A new file under the old name: whoever runs the old one goes on with that.
  const inode = (await Deno.stat(exe)).ino;
  assert.doesNotMatch(before, new RegExp(`bin/denosmtpd f 755 ${inode} `));
});

Deno.test("an executable with other rights is replaced", async () => {
  await using kit = await makeKit();
  assertDone(await kit.install());
  await Deno.chmod(`${kit.tree}/usr/local/bin/denosmtpd`, 0o777);
  assert.match((await kit.install()).out, /^replaced +\S+\/bin\/denosmtpd$/m);
  assert.match((await modes(kit)).join("\n"), /bin\/denosmtpd 755$/m);
});

Deno.test("a configuration file that is a link stays one", async () => {
  await using kit = await makeKit();
  await Deno.mkdir(`${kit.tree}/etc/denosmtpd`, { recursive: true });
  await Deno.symlink("/nowhere/mail.conf", `${kit.tree}/etc/denosmtpd/mail.conf`);
  await new Deno.Command("chmod", { args: ["-R", "a+rwX", kit.tree] }).output();
  assertDone(await kit.install());
  assert.equal(await Deno.readLink(`${kit.tree}/etc/denosmtpd/mail.conf`), "/nowhere/mail.conf");
});

Deno.test("--uninstall removes executable, unit and kernel setting, and says what stays", async () => {
  await using kit = await makeKit();
  assertDone(await kit.install());
  const env = { DESTDIR: kit.tree };
  const done = await kit.run(["--uninstall", "--yes"], { env });
  assertDone(done);
  assert.match(
    done.out,
    /^removed +\S+\.service\nremoved +\S+\/60-denosmtpd\.conf\nremoved +\S+\/denosmtpd\n/,
  );
  assert.match(done.out, /rm -r \S+\/tree\/etc\/denosmtpd$/m);
  assert.deepEqual((await modes(kit)).filter((line) => /\.(conf|service) /.test(line)), [
    "etc/denosmtpd/mail.conf 640",
    "etc/denosmtpd/user.conf 640",
  ]);
  await assert.rejects(Deno.stat(`${kit.tree}/usr/local/bin/denosmtpd`), Deno.errors.NotFound);
  assert.match(
    (await kit.run(["--uninstall", "--yes"], { env })).out,
    /^not there +\S+\/denosmtpd\n/,
  );
});

Deno.test("--uninstall asks for the prefix that the unit has", async () => {
  await using kit = await makeKit();
  assertDone(await kit.install(["--prefix", "/opt"]));
  const before = await kit.list();
  const { code, err } = await kit.run(["--uninstall", "--yes"], { env: { DESTDIR: kit.tree } });
  assert.match(err, /denosmtpd\.service runs \/opt\/bin\/denosmtpd: say --prefix \/opt\n$/);
  assert.equal(code, 1);
  assert.equal(await kit.list(), before);
});
