/** mutt, a mail reader, shows what the daemon has stored, and what it marks as read stays so. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { readWithPython } from "./maildir.ts";
import { succeed, testWith } from "../support/programs.ts";
import { submit } from "../support/submit.ts";

const SUBJECT = "Tea at five";
const BODY = "Bring the good cups.\n.. and a spoon\n";

testWith(["mutt", "script", "python3"], "mutt shows subject and body", async () => {
  await using daemon = await startDaemon();
  await send(daemon.port, `Subject: ${SUBJECT}\nFrom: mary@client.example\n\n${BODY}`);

  const screen = await mutt(daemon.folder, "mail/jones", "<pipe-message>cat >shown<enter><exit>");
  assert(screen.includes(SUBJECT), `the index lacks the subject:\n${screen}`);
  const shown = await Deno.readTextFile(`${daemon.folder}/shown`);
  assert.match(shown, /^Return-Path: <mary@client\.example>$/m);
  assert.match(shown, new RegExp(`^Subject: ${SUBJECT}$`, "m"));
  assert.equal(shown.slice(shown.indexOf("\n\n") + 2), BODY);
});

testWith(["mutt", "script", "python3"], "mutt reads a mailbox that goes on filling", async () => {
  await using daemon = await startDaemon();
  await send(daemon.port, `Subject: ${SUBJECT}\n\nfirst\n`);
  await mutt(daemon.folder, "mail/jones", "<display-message><exit><sync-mailbox><exit>");
  await send(daemon.port, `Subject: ${SUBJECT}\n\nsecond\n`);

  const messages = await readWithPython(`${daemon.folder}/mail/jones`);
  const states = messages.map(({ folder, flags, bytes }) => {
    return { folder, flags, body: new TextDecoder().decode(bytes).split("\n\n")[1] };
  });
  assert.deepEqual(
    new Set(states),
    new Set([
      { folder: "cur", flags: "S", body: "first\n" },
      { folder: "new", flags: "", body: "second\n" },
    ]),
  );
});

/** Runs mutt in the folder with these keys pressed; returns what it drew. It wants a terminal. */
async function mutt(folder: string, mailbox: string, keys: string): Promise<string> {
  const settings = ["wait_key=no", "pipe_decode=no", "folder=mail", "move=no", "pager_stop=yes"];
  const lines = [...settings.map((one) => `set ${one}`), `push "${keys}"`, ""];
  await Deno.writeTextFile(`${folder}/muttrc`, lines.join("\n"));
  const args = ["-q", "-e", "-c", `mutt -n -F muttrc -f ${mailbox}`, "/dev/null"];
  const env = { TERM: "xterm", HOME: folder, LC_ALL: "C" };
  return new TextDecoder().decode(await succeed("script", args, { cwd: folder, env }));
}

/** Sends one message from mary to jones; line ends of `text` are LF. */
async function send(port: number, text: string): Promise<void> {
  const lines = text.replaceAll("\n", "\r\n");
  await submit(port, { from: "mary@client.example", to: ["jones@me.example"], text: lines });
}
