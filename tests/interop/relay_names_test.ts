/** What name servers say decides where mail goes, when, and whether it goes back. */

import assert from "node:assert/strict";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { startDnsmasq } from "../support/dnsmasq.ts";
import { freePort } from "../support/free_port.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import type { Table } from "../support/name_server.ts";
import { missing, skippable, testWith } from "../support/programs.ts";
import { type RecordingServer, startRecordingServer } from "../support/recording_server.ts";
import { submit } from "../support/submit.ts";
import { loggedLine } from "../support/until.ts";
import { emptied, retryAll, waitingIn } from "../support/waiting.ts";
import { reportTo } from "./relay_report.ts";

testWith(["dnsmasq"], "a daemon finds its way by dnsmasq (CL-1, CL-2, CL-4)", async () => {
  const port = freePort("127.0.0.2", "127.0.0.3", "127.0.0.4");
  await using dnsmasq = await startDnsmasq([
    "--local=/test/",
    // Nobody listens at the best host of x.test.
    "--mx-host=x.test,mx1.x.test,10",
    "--mx-host=x.test,MX2.x.test,20",
    "--address=/mx1.x.test/127.0.0.4",
    "--address=/mx2.x.test/127.0.0.2",
    "--address=/bare.test/127.0.0.3",
    "--cname=alias.test,bare.test",
    "--host-record=bare.test,127.0.0.3",
  ]);
  await using x = startRecordingServer({ hostname: "127.0.0.2", port });
  await using bare = startRecordingServer({ hostname: "127.0.0.3", port });
  await using daemon = await startDaemon({
    mail: `RELAY_PORT = ${port}\nNAME_SERVER = ${dnsmasq.host}:${dnsmasq.port}\n`,
  });
  await submit(daemon.port, {
    to: ["a@x.test", "b@X.TEST", "c@bare.test", "d@alias.test", "joe@gone.test"],
  });
  await emptied(daemon);

  assert.deepEqual(recipientsAt(x), ["a@x.test", "b@X.TEST"]);
  assert.equal(x.connections, 1, "the case of a domain does not count");
  assert.deepEqual(recipientsAt(bare), ["c@bare.test", "d@alias.test"]);
  await loggedLine(daemon, "host unusable", "host=mx1.x.test");
  await loggedLine(daemon, "message failed", "to=<joe@gone.test>", "5.1.2");
});

interface ForGood {
  readonly domain: string;
  readonly status: string;
}

const TABLE: Table = {
  "null.test": { MX: [[0, "."]] },
  "bad.test": { MX: [[10, "mx.bad.test"]] },
  "home.test": { MX: [[10, "me.example"]] },
  "local.test": { MX: [[10, "localhost"]] },
  "failing.test": "SERVFAIL",
  "refusing.test": "REFUSED",
  "half.test": { MX: [[10, "mx.half.test"]] },
  "mx.half.test": "SERVFAIL",
};

const FOR_GOOD: readonly ForGood[] = [
  { domain: "gone.test", status: "5.1.2" },
  { domain: "null.test", status: "5.1.10" },
  { domain: "bad.test", status: "5.4.4" },
  { domain: "home.test", status: "5.4.6" },
  { domain: "local.test", status: "5.4.4" },
];
const FOR_NOW = ["failing.test", "refusing.test", "half.test"];

Deno.test({
  ...skippable(
    "what can never arrive goes back at once, DNS trouble waits (CL-2, CL-3, CL-7, CL-8, CL-9, DSN-6)",
    missing(["python3"]),
  ),
  fn: async () => {
    await using network = await startMailNetwork({ "x.test": "127.0.0.2" }, TABLE);
    await using x = startRecordingServer({ hostname: "127.0.0.2", port: network.port });
    await using daemon = await startDaemon({ mail: network.mail });
    const domains = [...FOR_GOOD.map(({ domain }) => domain), ...FOR_NOW];
    const to = ["joe@x.test", ...domains.map((domain) => `joe@${domain}`)];
    await submit(daemon.port, { to });

    const { recipients, header, to: reported, message, explanation } = await reportTo(
      daemon,
      "jones",
    );
    assert.deepEqual(recipientsAt(x), ["joe@x.test"]);
    assert.deepEqual(reported, ["jones@me.example"]);
    assert.match(header.From ?? "", /<postmaster@me\.example>/);
    assert.equal(message["Reporting-MTA"], "dns; me.example");
    assert.deepEqual(
      recipients.map((one) => [one["Final-Recipient"], one.Action, one.Status, one["Remote-MTA"]]),
      FOR_GOOD.map(({ domain, status }) => {
        return [`rfc822; joe@${domain}`, "failed", status, undefined];
      }),
    );
    assert.doesNotMatch(explanation, new RegExp(FOR_NOW.join("|")));

    for (const domain of FOR_NOW) await loggedLine(daemon, "deferred", `joe@${domain}>`, " 4.4.3 ");
    const [waiting, ...others] = await waitingIn(daemon);
    assert(waiting && others.length === 0);
    const still = waiting.recipients.filter(({ state }) => state === "waiting");
    assert.deepEqual(still.map((one) => one.to), FOR_NOW.map((domain) => `joe@${domain}`));
    for (const one of still) assert(Date.parse(one.nextAttempt ?? "") > Date.now() + 60_000);
  },
});

Deno.test("mail that waited for a name server goes when there is an answer (CL-2)", async () => {
  await using network = await startMailNetwork({}, { "x.test": "SERVFAIL" });
  await using x = startRecordingServer({ hostname: "127.0.0.2", port: network.port });
  await using daemon = await startDaemon({ mail: network.mail });
  await submit(daemon.port, { to: ["joe@x.test"] });
  await daemon.logged("message deferred");
  network.names.table["x.test"] = { A: ["127.0.0.2"] };
  await retryAll(daemon);
  await emptied(daemon);
  assert.deepEqual(recipientsAt(x), ["joe@x.test"]);
  assertQuiet(daemon);
});

function assertQuiet(daemon: Daemon): void {
  assert.doesNotMatch(daemon.log(), / (warn|error) /);
}

/** Of all transactions there, sorted. */
function recipientsAt({ conversations }: RecordingServer): string[] {
  return conversations.flatMap(({ commands }) => commands)
    .flatMap((command) => /^RCPT TO:<(.*)>$/.exec(command)?.[1] ?? []).sort();
}
