/** smtp-source sends 2,000 messages for 20 domains, and each arrives once. */

import assert from "node:assert/strict";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { succeed, testWith } from "../support/programs.ts";
import { emptied } from "../support/waiting.ts";
import { readWithPython } from "./maildir.ts";

const DOMAINS = Array.from({ length: 20 }, (_, i) => `d${i}.test`);
const HOSTS = ["127.0.0.2", "127.0.0.3"];
const MESSAGES_EACH = 100;
const MESSAGES = DOMAINS.length * MESSAGES_EACH;
/** Milliseconds for all of them, on a slow machine. */
const PATIENCE = 60_000;

function hostOf(i: number): string {
  return HOSTS[i % HOSTS.length]!;
}

testWith(
  ["smtp-source", "python3"],
  "2,000 messages for 20 domains at two hosts arrive exactly once",
  async () => {
    const hosts = DOMAINS.map((domain, i) => [domain, hostOf(i)] as const);
    await using network = await startMailNetwork(Object.fromEntries(hosts));
    // smtp-source has connections it is done with wait for their end.
    const mail = `${network.mail}MAX_CLIENTS_PER_ADDRESS = 1000\n`;
    await using daemon = await startDaemon({ mail });
    await using receivers = new AsyncDisposableStack();
    const there: Daemon[] = [];
    for (const address of HOSTS) {
      const domains = hosts.filter(([, at]) => at === address).map(([domain]) => domain);
      const receiver = await startDaemon({
        mail: `LISTEN_ADDR = ${address}
LISTEN_PORT = ${network.port}
LOCAL_DOMAINS = ${domains.join(", ")}
`,
        users: domains.map((domain) => `${userOf(domain)}:mail/${userOf(domain)}\n`).join(""),
      });
      receivers.use(receiver);
      there.push(receiver);
    }

    await Promise.all(DOMAINS.map((domain) => {
      const args = ["-s", "2", "-l", "4096", "-m", String(MESSAGES_EACH), "-M", "client.example"];
      args.push("-f", "mary@client.example", "-t", `${userOf(domain)}@${domain}`);
      return succeed("smtp-source", [...args, `127.0.0.1:${daemon.port}`]);
    }));
    await emptied(daemon, PATIENCE);

    const ids = new Set<string>();
    for (const [i, domain] of DOMAINS.entries()) {
      const { folder } = there[i % there.length]!;
      const messages = await readWithPython(`${folder}/mail/${userOf(domain)}`);
      assert.equal(messages.length, MESSAGES_EACH, domain);
      for (const { bytes } of messages) {
        const text = new TextDecoder().decode(bytes);
        assert.match(text, new RegExp(`^To: <${userOf(domain)}@${domain}>$`, "m"));
        ids.add(/^Received: from client\.example [^;]*? id (\S+)/m.exec(text)?.[1] ?? "");
        assert(bytes.length > 4096);
      }
    }
    assert.equal(ids.size, MESSAGES, "every message has an id of its own");
    const log = daemon.log();
    assert.equal(log.match(/ message sent /g)?.length, MESSAGES);
    assert.doesNotMatch(log, / (warn|error) |message deferred/);
  },
);

function userOf(domain: string): string {
  return `joe-${domain.replace(".test", "")}`;
}
