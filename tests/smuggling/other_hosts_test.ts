/** Real mail servers read what is relayed to them as the messages that it was, octet for octet. */

import assert from "node:assert/strict";
import { readWithPython } from "../interop/maildir.ts";
import { startDaemon } from "../support/daemon.ts";
import { noExim, startExim } from "../support/exim.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { startPostfix } from "../support/postfix.ts";
import { missing, missingOrNotRoot, skippable } from "../support/programs.ts";
import { submit, TEXT } from "../support/submit.ts";
import { until } from "../support/until.ts";
import { emptied } from "../support/waiting.ts";
import { characters, CONTENTS, SHORT } from "./payloads.ts";

/** A host that keeps all mail for joe. */
interface Host extends AsyncDisposable {
  readonly mailbox: string;
  log(): Promise<string>;
}

interface Place {
  readonly hostname: string;
  readonly port: number;
  readonly domain: string;
}

interface Kind {
  readonly name: string;
  /** Why there is none here. */
  readonly reason: string | undefined;
  readonly start: (place: Place) => Promise<Host>;
  /** What it logs when a message is where it belongs. */
  readonly done: RegExp;
}

const KINDS: readonly Kind[] = [
  {
    name: "Postfix",
    reason: missingOrNotRoot(["postfix"]),
    start: (place) => startPostfix({ ...place, tls: false }),
    done: / removed$/gm,
  },
  { name: "Exim", reason: noExim, start: startExim, done: / Completed$/gm },
];

for (const { name, reason, start, done } of KINDS) {
  Deno.test({
    ...skippable(
      `${name} finds in what is relayed and forwarded the messages that were sent (BUG-3, BUG-5)`,
      reason ?? missing(["python3"]),
    ),
    fn: async () => {
      const place = { hostname: "127.0.0.2", domain: "x.test" };
      await using network = await startMailNetwork({ [place.domain]: place.hostname });
      await using host = await start({ ...place, port: network.port });
      await using daemon = await startDaemon({
        mail: network.mail,
        users: "away:joe@x.test\n*:mail/all\n",
      });
      const sent = [
        ...CONTENTS.map(([what, content]) => ({ what, content, to: "joe@x.test" })),
        ...SHORT.map(([what, content]) => ({ what, content, to: "away@me.example" })),
      ];
      for (const { content, to } of sent) {
        await submit(daemon.port, { to: [to], text: TEXT + content });
      }
      await emptied(daemon);
      await until(`${name}'s deliveries`, async () => {
        return ((await host.log()).match(done)?.length ?? 0) >= sent.length;
      });
      const messages = await readWithPython(host.mailbox);
      const texts = messages.map((message) => characters(message.bytes));
      assert.equal(texts.length, sent.length);
      for (const { what, content } of sent) {
        const expected = `\n${TEXT}${content}`.replaceAll("\r\n", "\n");
        const at = texts.findIndex((text) => text.endsWith(expected));
        assert(at >= 0, what);
        texts.splice(at, 1);
      }
      assert.doesNotMatch(await host.log(), /mallory/);
    },
  });
}
