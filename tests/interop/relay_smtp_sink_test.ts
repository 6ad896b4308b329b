/** smtp-sink refuses, fails and hangs up at every command, and each message ends as it should. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { loggedLine } from "../support/until.ts";
import { type MailNetwork, startMailNetwork } from "../support/mail_network.ts";
import { missing, skippable } from "../support/programs.ts";
import { countTexts, startSink } from "../support/smtp_sink.ts";
import { submit, TEXT } from "../support/submit.ts";
import { emptied, retryAll, waitingIn } from "../support/waiting.ts";
import { reportTo } from "./relay_report.ts";

type Fate = "sent" | "deferred" | "returned";

interface Case {
  readonly does: string;
  readonly switches: readonly string[];
  readonly fate: Fate;
  /** Of the recipient's last reply, for those not sent. */
  readonly status?: string;
  /** Whether the report has the server's own words. */
  readonly heard?: boolean;
  readonly text?: string;
}

const EIGHT_BIT = `${TEXT}Gr\xfc\xdfe\r\n`;
const HARD = { fate: "returned", status: "5.3.0", heard: true } as const;
const SOFT = { fate: "deferred", status: "4.3.0" } as const;
const CUT = { fate: "deferred", status: "4.4.2" } as const;
const CLOSING = { fate: "deferred", status: "4.0.0" } as const;

const CASES: readonly Case[] = [
  { does: "takes it", switches: [], fate: "sent" },
  { does: "offers nothing", switches: ["-8", "-a", "-E", "-N", "-p"], fate: "sent" },
  { does: "knows no EHLO (CL-12)", switches: ["-e"], fate: "sent" },
  { does: "greets like a PIX", switches: ["-P"], fate: "sent" },
  {
    does: "lacks 8BITMIME (CL-26)",
    switches: ["-8"],
    text: EIGHT_BIT,
    ...HARD,
    status: "5.6.3",
    heard: false,
  },
  { does: "takes 8-bit octets", switches: [], text: EIGHT_BIT, fate: "sent" },
  { does: "refuses after half a text", switches: ["-A", "0"], ...HARD, status: "5.0.0" },

  { does: "refuses EHLO for good (CL-12)", switches: ["-f", "EHLO"], fate: "sent" },
  { does: "refuses EHLO and HELO for good", switches: ["-f", "EHLO,HELO"], ...HARD },
  { does: "refuses for good at CONNECT (CL-13)", switches: ["-f", "CONNECT"], ...HARD },
  ...["MAIL", "RCPT", "DATA", "."].map((command): Case => {
    return { does: `refuses for good at ${command}`, switches: ["-f", command], ...HARD };
  }),
  { does: "refuses QUIT for good", switches: ["-f", "QUIT"], fate: "sent" },

  ...["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."].map((command): Case => {
    return { does: `fails for now at ${command}`, switches: ["-r", command], ...SOFT };
  }),
  { does: "fails for now at QUIT", switches: ["-r", "QUIT"], fate: "sent" },

  ...["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."].map((command): Case => {
    return { does: `hangs up at ${command} (CL-20)`, switches: ["-q", command], ...CUT };
  }),
  { does: "hangs up at QUIT", switches: ["-q", "QUIT"], fate: "sent" },

  ...["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."].map((command): Case => {
    return { does: `says 421 at ${command}`, switches: ["-Q", command], ...CLOSING };
  }),
  { does: "says 421 at QUIT", switches: ["-Q", "QUIT"], fate: "sent" },
];

/** Each has a sink, a sender and a recipient of its own, and an address for the sink. */
const ALL = CASES.map((one, i) => ({
  ...one,
  hostname: `127.0.0.${10 + i}`,
  domain: `d${i}.test`,
  user: `user${i}`,
}));

Deno.test({
  ...skippable("smtp-sink:", missing(["smtp-sink", "python3"])),
  fn: async (t) => {
    const domains = Object.fromEntries(ALL.map(({ domain, hostname }) => [domain, hostname]));
    await using network = await startMailNetwork(domains);
    await using daemon = await startDaemon({
      mail: `${network.mail}MAX_CLIENTS_PER_ADDRESS = 100\n`,
      users: ALL.map(({ user }) => `${user}:mail/${user}\n`).join(""),
    });

    const first = await kept(network, ALL.map(({ switches }) => switches), async () => {
      await Promise.all(ALL.map(({ user, domain, text }) => {
        return submit(daemon.port, {
          from: `${user}@me.example`,
          to: [`joe@${domain}`],
          ...text ? { text } : {},
        });
      }));
      for (const { domain, fate } of ALL) {
        await loggedLine(daemon, `message ${fate}`, `to=<joe@${domain}>`);
      }
    });
    const waiting = await waitingIn(daemon);
    const second = await kept(network, ALL.map(() => []), async () => {
      await retryAll(daemon);
      await emptied(daemon);
    });

    for (
      const [i, { does, switches, fate, status = "", heard = false, user, domain }] of ALL.entries()
    ) {
      await t.step(`${does}: ${fate}`, async () => {
        // A sink keeps a text whatever it says at its end; only then is there a second copy.
        const begun = switches.at(-1) === "." || fate === "sent" ? 1 : 0;
        assert.deepEqual([first[i], second[i]], [begun, fate === "deferred" ? 1 : 0]);
        const found = waiting.find(({ from }) => from === `${user}@me.example`);
        if (fate === "sent") {
          return assert.equal(found, undefined);
        }
        if (fate === "deferred") {
          const [recipient] = found?.recipients ?? [];
          assert(recipient);
          assert.match(recipient.reply ?? "", new RegExp(`^4\\d\\d ${status} `));
          assert.equal(recipient.attempts, 1);
          assert(Date.parse(recipient.nextAttempt ?? "") > Date.parse(found!.arrived) + 60_000);
          return;
        }
        assert.equal(found, undefined);
        const report = await reportTo(daemon, user);
        assert.equal(report.returnPath, "<>");
        assert.deepEqual(report.to, [`${user}@me.example`]);
        const [recipient, ...others] = report.recipients;
        assert(recipient && others.length === 0);
        assert.equal(recipient["Final-Recipient"], `rfc822; joe@${domain}`);
        assert.equal(recipient.Action, "failed");
        assert.equal(recipient.Status, status);
        assert.equal(recipient["Remote-MTA"], heard ? `dns; mx.${domain}` : undefined);
        assert.match(recipient["Diagnostic-Code"] ?? "none", heard ? /^smtp; 5\d\d / : /^none$/);
        assert.match(report.returned, /^Subject: relayed$/m);
      });
    }
  },
});

/** Counts what sinks with these switches keep for each case meanwhile. */
async function kept(
  { port }: MailNetwork,
  switches: readonly (readonly string[])[],
  meanwhile: () => Promise<void>,
): Promise<number[]> {
  const root = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => Deno.remove(root, { recursive: true }));
  await Deno.chmod(root, 0o755);
  const folders = ALL.map((_, i) => `${root}/${i}`);
  await Promise.all(ALL.map(async ({ hostname }, i) => {
    await Deno.mkdir(folders[i]!);
    cleanup.use(
      await startSink({ hostname, port, switches: switches[i]!, folder: folders[i]! }),
    );
  }));
  await meanwhile();
  return await Promise.all(folders.map(countTexts));
}
