/**
 * Two machines serve one domain from one mailbox directory, both its MX hosts. While mail for it comes
 * in, one is stopped and started again, and then the other: nothing is lost.
 */

import assert from "node:assert/strict";
import { type Daemon, readMailbox, startDaemon } from "../support/daemon.ts";
import { startDnsmasq } from "../support/dnsmasq.ts";
import { makeFolder } from "../support/folder.ts";
import { namesIn } from "../support/names_in.ts";
import { connect, type Machine, makeMachine, noMachines } from "../support/net_namespace.ts";
import { find, missing, skippable, succeed } from "../support/programs.ts";
import { until } from "../support/until.ts";
import { emptied } from "../support/waiting.ts";

const MESSAGES = 2000;
/** Milliseconds for all of them, on a slow machine. */
const PATIENCE = 60_000;
/** Of the range for documentation (RFC 5737). */
const ADDRESSES = { names: "192.0.2.53", sender: "192.0.2.1", one: "192.0.2.2", two: "192.0.2.3" };

const NAMES = [
  "--local=/test/",
  "--mx-host=mail.test,one.test,10",
  "--mx-host=mail.test,two.test,10",
  `--host-record=one.test,${ADDRESSES.one}`,
  `--host-record=two.test,${ADDRESSES.two}`,
];

/** One of the domain's hosts, with a spool of its own. */
class Host implements AsyncDisposable {
  #daemon: Daemon | undefined;

  constructor(
    readonly role: "one" | "two",
    readonly machine: Machine,
    readonly home: string,
  ) {}

  async start(): Promise<void> {
    this.#daemon = await startDaemon({
      under: this.machine.under,
      mail: `HOSTNAME = ${this.role}.test
LISTEN_ADDR = ${ADDRESSES[this.role]}
LISTEN_PORT = 25
LOCAL_DOMAINS = mail.test
SPOOL_DIR = ${this.home}/${this.role}
`,
      users: `joe:${this.home}/joe\n`,
    });
  }

  /** Returns what it has logged. */
  async stop(): Promise<string> {
    assert(this.#daemon);
    const { code } = await this.#daemon.stop();
    const log = this.#daemon.log();
    assert.equal(code, 0, log);
    await this[Symbol.asyncDispose]();
    return log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]();
    this.#daemon = undefined;
  }
}

async function load({ under }: Machine, { port }: Daemon): Promise<void> {
  const args = ["-s", "10", "-m", String(MESSAGES), "-l", "1024", "-M", "client.example"];
  args.push("-f", "mary@client.example", "-t", "joe@mail.test", `127.0.0.1:${port}`);
  const [, ...words] = [...under, find("smtp-source") ?? "smtp-source", ...args];
  await succeed("ip", words);
}

const NAME =
  "two machines serve one domain and mailbox, each restarted in turn, and nothing is lost";

Deno.test({
  ...skippable(NAME, noMachines ?? missing(["dnsmasq", "smtp-source"])),
  async fn() {
    await using home = await makeFolder();
    await using names = await makeMachine("names");
    await using sender = await makeMachine("sender");
    await using machineOne = await makeMachine("one");
    await using machineTwo = await makeMachine("two");
    await connect([
      [names, ADDRESSES.names],
      [sender, ADDRESSES.sender],
      [machineOne, ADDRESSES.one],
      [machineTwo, ADDRESSES.two],
    ]);
    const place = { host: ADDRESSES.names, port: 53, under: names.under };
    await using _dnsmasq = await startDnsmasq(NAMES, place);
    await using one = new Host("one", machineOne, home.path);
    await using two = new Host("two", machineTwo, home.path);
    await Promise.all([one.start(), two.start()]);
    await using relay = await startDaemon({
      under: sender.under,
      mail: `NAME_SERVER = ${ADDRESSES.names}\nRETRY_DELAYS = 1s\n`,
    });

    const arrived = async (messages: number) => {
      await until(`${messages} messages`, async () => {
        return (await namesIn(`${home.path}/joe/new`)).length >= messages;
      }, PATIENCE);
    };
    const loaded = load(sender, relay);
    // Where the test fails before it waits for this, that is enough.
    loaded.catch(() => {});
    const logs: string[] = [];
    // Each time mail goes on meanwhile by the other.
    for (const [i, host] of [one, two, one, two].entries()) {
      await arrived(MESSAGES * (2 * i + 1) / 9);
      logs.push(await host.stop());
      await arrived(MESSAGES * (2 * i + 2) / 9);
      await host.start();
    }
    await loaded;
    await emptied(relay, PATIENCE);
    logs.push(await one.stop(), await two.stop());

    const messages = await readMailbox(`${home.path}/joe`);
    const decoder = new TextDecoder();
    const ids = messages.map(({ bytes }) => {
      return /^Received: from client\.example [^;]*? id (\S+)/m.exec(decoder.decode(bytes))?.[1];
    });
    const log = relay.log();
    assert.equal(new Set(ids).size, MESSAGES, `lost: ${log}`);
    // A daemon that is stopped answers to every text that it has kept.
    assert.equal(messages.length - MESSAGES, 0, "came twice");
    assert.equal(log.match(/ message sent /g)?.length, MESSAGES);
    assert.doesNotMatch(log, / message (failed|returned|lost) /);
    for (const role of ["one", "two"]) {
      // A file's name ends in the name of the machine that wrote it, and perhaps more about the file.
      const its = new RegExp(`\\.${role}(,|$)`);
      assert(messages.some(({ path }) => its.test(path)), `none came by ${role}`);
      assert.deepEqual(await namesIn(`${home.path}/${role}/queue`), []);
    }
    assert.deepEqual(await namesIn(`${home.path}/joe/tmp`), []);
    for (const each of logs) assert.doesNotMatch(each, / error |unfinished messages removed/);
  },
});
