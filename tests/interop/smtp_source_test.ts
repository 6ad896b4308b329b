/** smtp-source, Postfix's own load generator, sends files and, in 20 sessions at once, a thousand messages. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { part, readWithPython } from "./maildir.ts";
import { testPeer } from "./peer.ts";
import { succeed, testWith } from "../support/programs.ts";

testPeer({
  name: "smtp-source",
  needs: ["smtp-source"],
  protocol: "SMTP",
  // Its end mark has a CR LF in front, whatever the text ends in.
  adds: "\n",
  async send({ host, port, from, to, text }) {
    const server = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    const file = await Deno.makeTempFile({ prefix: "denosmtpd-test-" });
    try {
      // It makes each LF of the file CR LF.
      await Deno.writeFile(file, text.filter((octet) => octet !== 13));
      const args = ["-M", "client.example", "-f", from, "-F", file];
      // It counts several recipients down to the one it is told: 2pair, pair.
      args.push("-r", String(to.length), "-t", to.at(-1)!);
      await succeed("smtp-source", [...args, server]);
    } finally {
      await Deno.remove(file);
    }
  },
});

const MESSAGES = 1000;
const LENGTH = 4096;

testWith(
  ["smtp-source", "python3"],
  "smtp-source sends 1,000 messages in 20 sessions and each arrives whole",
  async () => {
    await using daemon = await startDaemon();
    const args = ["-s", "20", "-l", String(LENGTH), "-m", String(MESSAGES)];
    args.push("-M", "client.example", "-f", "mary@client.example", "-t", "jones@me.example");
    await succeed("smtp-source", [...args, `127.0.0.1:${daemon.port}`]);

    const messages = await readWithPython(`${daemon.folder}/mail/jones`);
    assert.equal(messages.length, MESSAGES);
    const decoder = new TextDecoder();
    const ids = new Set<string>();
    for (const { bytes } of messages) {
      const { received, text } = part(bytes);
      ids.add(/ id (\S+) /.exec(received)?.[1] ?? "");
      const [, body = ""] = decoder.decode(text).split(/\n\n(.*)/s);
      assert.match(body, /^(\dX+\n)+X+\n$/);
      assert.equal(body.replaceAll("\n", "\r\n").length, LENGTH + "\r\n".length);
    }
    assert.equal(ids.size, MESSAGES, "every message has an id of its own");
    assert.doesNotMatch(daemon.log(), / (warn|error) |refused/);
  },
);

testWith(["smtp-source"], "smtp-source does not wait for the answer to QUIT", async () => {
  await using daemon = await startDaemon();
  const args = ["-m", "20", "-M", "client.example", "-t", "jones@me.example"];
  await succeed("smtp-source", [...args, `127.0.0.1:${daemon.port}`]);
  await daemon.stop();
  // A channel that its client has closed by QUIT is not lost (RFC 5321 4.1.1.10).
  assert.equal(daemon.log().match(/ connection closed /g)?.length, 20);
  assert.doesNotMatch(daemon.log(), /connection lost/);
});
