/** What the judge of the crash tests finds: a folder and a host as a daemon could leave them. */

import assert from "node:assert/strict";
import { makeFolder } from "../../support/folder.ts";
import { judge, type Judgement } from "./judgement.ts";
import { numberedText } from "../numbered_text.ts";
import type { Sent } from "./stage.ts";

const TRACE = "Received: from client.example ([127.0.0.1])\r\n\tby me.example; now\r\n";
const FINE = { lost: [], half: [], leftOver: [], twice: 0, messages: 1 };

interface Scene {
  readonly sent?: Partial<Sent>;
  /** Texts that came to the host, and files below the folder; CR LF in a mailbox is written as LF. */
  readonly taken?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

const TEXT = numberedText("m0", 300);
const STORED = `Return-Path: <jones@me.example>\r\n${TRACE}${TEXT}`;

async function judged({ sent = {}, taken = [], files = {} }: Scene): Promise<Judgement> {
  await using folder = await makeFolder();
  for (const part of ["mail/jones/tmp", "mail/jones/new", "spool/queue", "spool/damaged"]) {
    await Deno.mkdir(`${folder.path}/${part}`, { recursive: true });
  }
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder.path}/${path}`, text.replaceAll("\r\n", "\n"));
  }
  const message: Sent = {
    name: "m0",
    from: "jones@me.example",
    to: ["jones@me.example"],
    text: TEXT,
    acknowledged: true,
    harmed: 0,
    removal: "none",
    ...sent,
  };
  return await judge({
    folder: folder.path,
    sent: [message],
    host: {
      taken: taken.map((text) => {
        return { from: "", to: ["<fred@far.example>"], text: new TextEncoder().encode(text) };
      }),
    },
  });
}

/** The path of a message in the mailbox of jones. */
function inMailbox(text: string, count = 1): string {
  const size = text.replaceAll("\r\n", "\n").length;
  return `mail/jones/new/1.M2P3Q${count}R00000000.host,S=${size}`;
}

const FRED = { to: ["fred@far.example"] };

for (
  const [name, scene, found] of [
    ["a message in its mailbox is fine", { files: { [inMailbox(STORED)]: STORED } }, FINE],
    ["one that is nowhere is lost", {}, { ...FINE, lost: ["m0 to jones@me.example"] }],
    ["one that was not answered 250 may be nowhere", { sent: { acknowledged: false } }, {
      ...FINE,
      messages: 0,
    }],
    ["one at the host is fine", { sent: FRED, taken: [TRACE + TEXT] }, FINE],
    ["twice is counted", { sent: FRED, taken: [TRACE + TEXT, TRACE + TEXT] }, {
      ...FINE,
      twice: 1,
    }],
    ["what was removed must not come", {
      sent: { ...FRED, removal: "told" },
      taken: [TRACE + TEXT],
    }, { ...FINE, lost: ["m0 to fred@far.example was removed, and came"] }],
    ["a report stands for what the host refuses", {
      sent: FRED,
      files: { [inMailbox(report("fred"))]: report("fred") },
    }, FINE],
    ["a report about another does not", {
      sent: FRED,
      files: { [inMailbox(report("ann"))]: report("ann") },
    }, { ...FINE, lost: ["m0 to fred@far.example"] }],
    ["a file that is nobody's is left over", {
      files: { [inMailbox(STORED)]: STORED, "mail/jones/tmp/x": "", "spool/queue/.try": "" },
    }, { ...FINE, leftOver: ["mail/jones/tmp/x", "spool/queue/.try"] }],
    ["so is a message aside that nobody has harmed", {
      files: { [inMailbox(STORED)]: STORED, "spool/damaged/000000000000000.eml": "" },
    }, { ...FINE, leftOver: ["spool/damaged/000000000000000.eml of 0 damaged files"] }],
  ] as const satisfies readonly (readonly [string, Scene, Judgement])[]
) {
  Deno.test(name, async () => assert.deepEqual(await judged(scene), found));
}

for (
  const [name, text] of [
    ["cut off", STORED.slice(0, -10)],
    ["with more behind", `${STORED}more\r\n`],
    ["without its trace", `Return-Path: <jones@me.example>\r\n${TEXT}`],
    ["that is half a report", report("fred").slice(0, -10)],
  ] as const
) {
  Deno.test(`a message ${name} is not whole`, async () => {
    const { half } = await judged({ files: { [inMailbox(text)]: text } });
    assert.equal(half.length, 1);
  });
}

Deno.test("a message of another size than its name says is not whole", async () => {
  const { half } = await judged({ files: { [`${inMailbox(STORED)}0`]: STORED } });
  assert.equal(half.length, 1);
});

function report(to: string): string {
  return `Return-Path: <>\r\nContent-Type: multipart/report; boundary="b"\r\n\r\n--b\r\n` +
    `Final-Recipient: rfc822; ${to}@far.example\r\n\r\nSubject: m0 300\r\n\r\n--b--\r\n`;
}
