/** `check` on a configuration that is good: says so, and leaves no trace. */

import assert from "node:assert/strict";
import { namesIn } from "../support/names_in.ts";
import { run } from "../support/run.ts";

async function check(mail: string): Promise<{ code: number; out: string; left: string[] }> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    await Deno.writeTextFile(`${folder}/mail.conf`, mail);
    await Deno.writeTextFile(`${folder}/user.conf`, "john:mail/john\njack:mail/jack\n");
    const { code, out, err } = await run(["check", "mail.conf", "user.conf"], { cwd: folder });
    assert.equal(err, "");
    return { code, out, left: await namesIn(folder) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a good configuration is called good, and no directory is made", async () => {
  const { code, out, left } = await check("HOSTNAME = me.example\nLISTEN_PORT = 0\n");
  assert.equal(code, 0);
  assert.match(
    out,
    /^me\.example can listen on 127\.0\.0\.1:0\njohn: \/.*\/mail\/john\njack: \/.*\/mail\/jack\ngood\n$/,
  );
  assert.deepEqual(left, ["mail.conf", "user.conf"]);
});

Deno.test("settings that nothing uses yet are pointed out", async () => {
  const { code, out } = await check("HOSTNAME = me.example\nLISTEN_PORT = 0\nWORKERS = 2\n");
  assert.equal(code, 0);
  assert.match(out, /^note: WORKERS is set, but nothing in this version uses it$/m);
});

Deno.test("a host name that nobody can look up is pointed out", async () => {
  const { code, out } = await check("HOSTNAME = me\nLISTEN_PORT = 0\n");
  assert.equal(code, 0);
  assert.match(out, /^note: HOSTNAME is me, which other hosts cannot look up$/m);
});

Deno.test("a server that relays for the whole world is pointed out", async () => {
  const note = /^note: RELAY_FROM lets everybody send to everybody through this server$/m;
  for (const [networks, told] of [["127.0.0.1, 0.0.0.0/0", true], ["10.0.0.0/8", false]] as const) {
    const conf = `HOSTNAME = me.example\nLISTEN_PORT = 0\nRELAY_FROM = ${networks}\n`;
    const { code, out } = await check(conf);
    assert.deepEqual([code, note.test(out)], [0, told]);
  }
});
