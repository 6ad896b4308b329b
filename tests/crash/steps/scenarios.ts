/** What a daemon lives through before it is stopped at one of its steps. */

import assert from "node:assert/strict";
import { MaildirNames } from "../../../src/mailbox/name.ts";
import { type MailNetwork, startMailNetwork } from "../../support/mail_network.ts";
import type { Fault } from "./orders.ts";
import { LARGE, type Mood, Stage, USERS, usersText } from "./stage.ts";

export interface Scenario {
  readonly name: string;
  /** Where it is played, if not where every message for others goes to the one host. */
  readonly set?: () => Promise<Stage>;
  /** What comes before the process that is to be stopped, by others that are not. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  /** The words of that process, if it is not a daemon. */
  readonly words?: (stage: Stage) => Promise<readonly string[]>;
  readonly faults?: readonly Fault[];
  /** What happens beside it, up to its end. May reject with anything once it is killed. */
  readonly act: (stage: Stage) => Promise<void>;
  /** What the host says after the restart. */
  readonly afterwards?: Mood;
}

const [JONES, SMITH, MARY] = USERS.map((name) => `${name}@me.example`) as [string, string, string];
const [FRED, ANN] = ["fred@far.example", "ann@far.example"] as const;

/** With a daemon that has started, up to its end in good order. */
function serving(act: (stage: Stage) => Promise<void>): (stage: Stage) => Promise<void> {
  return async (stage) => {
    await stage.target.shows(" info started ");
    await act(stage);
    await stage.stop();
  };
}

/** Messages wait that the host has put off, one for each of these. */
async function putOff(stage: Stage, ...to: readonly string[]): Promise<string[]> {
  stage.mood = "later";
  for (const one of to) await stage.give([one]);
  const ids = await stage.deferred(to.length);
  stage.mood = "takes";
  return ids;
}

/** The start comes first: what the others have in common with it is its. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "the first start",
    act: serving(() => Promise.resolve()),
  },
  {
    name: "local mail",
    act: serving(async (stage) => {
      await stage.give([JONES]);
      await stage.give([JONES]);
    }),
  },
  {
    name: "several local recipients",
    act: serving(async (stage) => {
      await stage.give([JONES, SMITH, MARY]);
    }),
  },
  {
    name: "several local recipients, and no links",
    faults: [{ thread: "receiver", kind: "link", paths: "mail/", code: "EXDEV" }],
    act: serving(async (stage) => {
      await stage.give([JONES, SMITH], LARGE);
      // That no link can be is known by now.
      await stage.give([JONES, SMITH]);
    }),
  },
  {
    name: "a large text",
    act: serving(async (stage) => {
      await stage.give([JONES, SMITH], LARGE);
      await stage.give([FRED], LARGE);
      await stage.emptied();
    }),
  },
  {
    name: "relayed mail",
    act: serving(async (stage) => {
      await stage.give([FRED, ANN]);
      await stage.emptied();
      await stage.give([FRED]);
      await stage.emptied();
    }),
  },
  {
    name: "mail for here and elsewhere",
    act: serving(async (stage) => {
      await stage.give([JONES, FRED, SMITH]);
      await stage.emptied();
    }),
  },
  {
    name: "a bounce",
    afterwards: "never",
    act: serving(async (stage) => {
      stage.mood = "never";
      await stage.give([FRED, SMITH]);
      await stage.emptied();
    }),
  },
  {
    name: "a retry",
    act: serving(async (stage) => {
      await putOff(stage, FRED);
      assert(await stage.queue("retry", "--all"));
      await stage.emptied();
    }),
  },
  {
    name: "a removal",
    act: serving(async (stage) => {
      const [first, second] = await putOff(stage, FRED, ANN);
      stage.sent[0]!.removal = "wanted";
      assert(await stage.queue("remove", first!));
      stage.sent[0]!.removal = "told";
      assert(await stage.queue("retry", second!));
      await stage.emptied();
    }),
  },
  {
    name: "a retry asked for without a daemon",
    prepare: async (stage) => {
      await stage.serve();
      await putOff(stage, FRED);
      await stage.stop();
    },
    words: () => Promise.resolve(["queue", "retry", "mail.conf", "--all"]),
    act: async (stage) => {
      await stage.target.end();
    },
  },
  {
    name: "a removal without a daemon",
    prepare: async (stage) => {
      await stage.serve();
      await putOff(stage, FRED);
      await stage.stop();
      stage.sent[0]!.removal = "wanted";
    },
    words: async (stage) => ["queue", "remove", "mail.conf", (await stage.deferred())[0]!],
    act: async (stage) => {
      const { code } = await stage.target.end();
      if (code === 0) stage.sent[0]!.removal = "told";
    },
  },
  {
    name: "a reload",
    act: serving(async (stage) => {
      await stage.give([JONES, FRED]);
      await stage.emptied();
      await Deno.writeTextFile(`${stage.folder}/user.conf`, usersText([...USERS, "anna"]));
      stage.target.send("SIGHUP");
      await stage.target.shows(" info reloaded ");
      await stage.give(["anna@me.example", FRED]);
      await stage.emptied();
    }),
  },
  {
    name: "a client that is cut off in its text",
    act: serving(async (stage) => {
      await stage.hangUp([JONES, SMITH, FRED]);
      await stage.until("the text is dropped", async () => {
        return (await stage.unfinished()) === 0;
      });
      await stage.give([JONES]);
    }),
  },
  {
    name: "a start after a crash",
    prepare: async (stage) => {
      await stage.serve();
      const [first] = await putOff(stage, FRED, ANN);
      stage.target.send("SIGKILL");
      await stage.target.end();
      const names = new MaildirNames({
        host: Deno.hostname(),
        process: 1,
        now: Date.now,
        random: Math.random,
      });
      const { folder, spool } = stage;
      await Deno.writeTextFile(`${folder}/mail/jones/tmp/${names.next()}`, "half");
      await Deno.writeTextFile(`${folder}/mail/smith/tmp/${names.next()}`, "half");
      await Deno.writeTextFile(`${spool}/tmp/receiver-01-${first}.eml`, "half");
      await Deno.writeTextFile(`${spool}/tmp/relay-1-1-${first}.json`, "{");
      await Deno.writeTextFile(`${spool}/queue/${"0".repeat(15)}.json`, "nobody's");
      await stage.askForAll();
    },
    act: serving((stage) => stage.emptied()),
  },
  {
    name: "texts that are damaged",
    act: serving(async (stage) => {
      const [first, second] = await putOff(stage, FRED, ANN);
      await Deno.truncate(`${stage.spool}/queue/${first}.eml`, 20);
      stage.sent[0]!.harmed = 1;
      await Deno.truncate(`${stage.spool}/queue/${second}.json`, 20);
      stage.sent[1]!.harmed = 1;
      assert(await stage.queue("retry", "--all"));
      await stage.emptied();
    }),
  },
  {
    name: "a disk that fails at times",
    faults: [
      { thread: "receiver", kind: "rename", paths: "mail/jones/tmp/", times: 1 },
      { thread: "receiver", kind: "rename", paths: "spool/tmp/receiver-ID.eml", times: 1 },
      { thread: "relay", kind: "create", paths: "spool/journal-", times: 1 },
      { thread: "relay", kind: "rename", paths: "spool/tmp/relay-ID.json", times: 1 },
    ],
    act: serving(async (stage) => {
      assert.equal(await stage.send([JONES, SMITH]), "452");
      assert.equal(await stage.send([FRED]), "452");
      await stage.give([FRED]);
      await stage.target.shows("queue trouble");
      assert(await stage.queue("retry", "--all"));
      await stage.emptied();
      await putOff(stage, ANN);
      assert(await stage.queue("retry", "--all"));
      await stage.emptied();
    }),
  },
  {
    name: "domains with policies",
    set: setPolicies,
    faults: [{ thread: "relay", kind: "rename", paths: "spool/tmp/relay-policies.json", times: 1 }],
    act: serving(async (stage) => {
      await stage.give(["joe@x.test"]);
      await stage.emptied();
      await stage.give(["joe@y.test"]);
      await stage.emptied();
    }),
  },
];

/** Hosts found by name, in domains that say they have a policy. */
async function setPolicies(): Promise<Stage> {
  const hostname = "127.0.0.126";
  const record = { TXT: ["v=STSv1; id=1"] };
  const network: MailNetwork = await startMailNetwork(
    { "x.test": hostname, "y.test": hostname },
    { "_mta-sts.x.test": record, "_mta-sts.y.test": record },
  );
  try {
    const host = { hostname, port: network.port };
    return await Stage.set({ mail: network.mail, host, beside: network });
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
}
