/** After install.sh the executable serves as its own user, with the files that were installed. */

import assert from "node:assert/strict";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { freePort } from "../support/free_port.ts";
import { RawClient } from "../support/raw_client.ts";
import { type FreshRoot, makeFreshRoot, testInRoot } from "./fresh_root.ts";
import { assertDone, makeKit } from "./kit.ts";
import { stub } from "./stub.ts";

const INSTALL = ["sh", "/tmp/kit/install.sh", "--from", "/tmp/kit/release/denosmtpd", "--yes"];
const FILES = ["/etc/denosmtpd/mail.conf", "/etc/denosmtpd/user.conf"];

/** Starts the daemon as the unit does, and waits until it serves. */
async function serve(root: FreshRoot) {
  const process = root.spawn(["/usr/local/bin/denosmtpd", ...FILES], {
    user: "denosmtpd",
    env: { STATE_DIRECTORY: "/var/lib/denosmtpd" },
  });
  const errors = new Response(process.stderr).text();
  const log = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes(" started ")) {
    const { done, value } = await log.read();
    if (done) throw new Error(text + await errors);
    text += value;
  }
  const rest = (async () => {
    while (!(await log.read()).done);
  })();
  return {
    stop: async () => {
      process.kill("SIGTERM");
      await Promise.all([rest, errors]);
      return (await process.status).code;
    },
  };
}

async function submit(port: number, text: string): Promise<void> {
  const client = await RawClient.connect(port);
  assert.match(await client.reply() ?? "", /^220 mail\.example\.com /);
  for (
    const line of ["HELO a.example", "MAIL FROM:<>", "RCPT TO:<john@mail.example.com>", "DATA"]
  ) {
    assert.match(await client.command(line) ?? "", /^(250|354) /);
  }
  assert.match(await client.command(`${text}\r\n.`) ?? "", /^250 /);
  client.close();
}

testInRoot(
  "the installed daemon takes mail for the users of the sample, as its own user",
  async () => {
    await using kit = await makeKit();
    await Deno.copyFile(EXECUTABLE, kit.executable);
    await using root = await makeFreshRoot(kit.folder);
    const done = await root.run(INSTALL);
    assertDone(done);
    assert.match(
      done.out,
      /^made +\/usr\/local\/bin\/denosmtpd: denosmtpd \d+\.\d+\.\d+ \(\S+\)$/m,
    );

    const port = freePort();
    await root.sh(`cd /etc/denosmtpd
    sed -i 's/^LISTEN_ADDR.*/LISTEN_ADDR = 127.0.0.1/' mail.conf
    printf 'LISTEN_PORT = ${port}\nNAME_SERVER = 127.0.0.1:1\n' >>mail.conf`);
    const check = await root.run(["denosmtpd", "check", ...FILES], { user: "denosmtpd" });
    assertDone(check);
    assert.match(check.out, /john: \/var\/lib\/denosmtpd\/mail\/john$[^]*^good/m);

    const daemon = await serve(root);
    try {
      await submit(port, "Subject: one\r\n\r\nHello John");
      // An upgrade puts a new file in the old one's place: the daemon that runs goes on.
      await Deno.writeFile(kit.executable, stub("denosmtpd 9.0.0 (stub)"));
      assert.match(
        (await root.run(INSTALL)).out,
        /^replaced +\/usr\/local\/bin\/denosmtpd: denosmtpd 9/m,
      );
      await submit(port, "Subject: two\r\n\r\nHello again");
    } finally {
      assert.equal(await daemon.stop(), 0);
    }
    const mailbox = "/var/lib/denosmtpd/mail/john";
    const kept = await root.sh(`cat ${mailbox}/new/*`);
    // By their names, which a reader sorts as it likes.
    assert.match(kept, /^Subject: one\n\nHello John$/m);
    assert.match(kept, /^Subject: two\n\nHello again$/m);
    assert.match(
      await root.sh(`find ${mailbox} /var/lib/denosmtpd/spool -printf '%y %m %u\n' | sort -u`),
      /^d 700 denosmtpd\nf 600 denosmtpd\n$/,
    );
    const outsider = await root.run(["ls", `${mailbox}/new`], { user: "65534" });
    assert.match(outsider.err, /Permission denied/);
  },
  notCompiled(),
);
