/** A name server that dies, or talks nonsense, while mail waits: nobody's mail is returned for it. */

import assert from "node:assert/strict";
import { startDaemon } from "../../support/daemon.ts";
import { freePort } from "../../support/free_port.ts";
import { type Behaviour, type Entry, startNameServer } from "../../support/name_server.ts";
import { skippable } from "../../support/programs.ts";
import { startRecordingServer } from "../../support/recording_server.ts";
import { submit } from "../../support/submit.ts";
import { loggedLine, until } from "../../support/until.ts";
import { emptied } from "../../support/waiting.ts";
import { faster, noOtherTime } from "./fast_clock.ts";

const ADDRESS = "127.0.0.2";
const GOOD = { "x.test": { MX: [[10, "mx.x.test"]] }, "mx.x.test": { A: [ADDRESS] } } as const;

/** What it says of everything instead, at worst on either transport. */
const NONSENSE: Readonly<Record<string, Behaviour | Entry>> = {
  "answers SERVFAIL": "SERVFAIL",
  "answers garbage": "garbage",
  "answers another question": "wrong name",
  "closes": "close",
  "cuts off each answer, and garbles it over TCP": { truncated: true, overTcp: "garbage" },
};

Deno.test({
  ...skippable("mail waits for a name server that dies and comes back", noOtherTime),
  fn: async () => {
    await using host = startRecordingServer({ hostname: ADDRESS, port: freePort(ADDRESS) });
    const names = await startNameServer(GOOD);
    const { port } = names;
    await using daemon = await startDaemon({
      mail: `NAME_SERVER = 127.0.0.1:${port}\nRELAY_PORT = ${host.port}\n` +
        "RETRY_DELAYS = 10s\nCLIENT_TIMEOUT = 1h",
      under: faster(30),
    });
    const deferred = () => daemon.log().match(/ message deferred .* 4\.4\.3 /g)?.length ?? 0;
    await submit(daemon.port, { to: ["joe@x.test"] });
    await host.took(1);

    await names[Symbol.asyncDispose]();
    await submit(daemon.port, { to: ["jim@x.test", "jim@y.test"] });
    await loggedLine(daemon, " info message deferred ", "to=<jim@y.test>", " 4.4.3 ");
    for (const [what, behaviour] of Object.entries(NONSENSE)) {
      const table = { "x.test": behaviour, "mx.x.test": behaviour, "y.test": behaviour };
      await using bad = await startNameServer(table, port);
      const before = deferred();
      await until(`an attempt with one that ${what}`, () => {
        return bad.questions.length > 0 && deferred() > before;
      });
    }
    await using _ = await startNameServer(
      { ...GOOD, "y.test": { MX: [[10, "mx.x.test"]] } },
      port,
    );
    await emptied(daemon);
    const texts = host.taken.map(({ to }) => to.join()).sort();
    assert.deepEqual(texts, ["<jim@x.test>", "<jim@y.test>", "<joe@x.test>"]);
    assert.doesNotMatch(daemon.log(), / message (returned|failed) /);
  },
});
