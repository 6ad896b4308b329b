/** Whether a mail server greets, on loopback. */

import assert from "node:assert/strict";
import { checkGreeting } from "../../src/checks/greeting.ts";
import type { Finding } from "../../src/checks/finding.ts";
import { type Dialer, TcpDialer } from "../../src/relay/wire.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { freePort } from "../support/free_port.ts";
import { factsOf, type WorldOptions, type Zone } from "./zone.ts";

/** Whatever address is dialled, it is loopback. Tells when a connection stands. */
class LoopbackDialer implements Dialer {
  readonly dialled: string[] = [];
  readonly connected = Promise.withResolvers<void>();
  constructor(readonly port: number) {}

  async connect(address: string, port: number, signal: AbortSignal) {
    this.dialled.push(`${address} ${port}`);
    const wire = await new TcpDialer().connect("127.0.0.1", this.port, signal);
    this.connected.resolve();
    return wire;
  }
}

const ZONE: Zone = {
  "example.com": { MX: [[20, "backup.example"], [10, "mail.example.com"]] },
  "mail.example.com": { A: ["192.0.2.1"] },
  "backup.example": { A: ["198.51.100.7"] },
};

interface Tried {
  readonly findings: readonly Finding[];
  readonly dialled: readonly string[];
  /** What the server heard, connection by connection. */
  readonly heard: readonly string[];
}

/** Tries a server that says this and hears what comes; "close" hangs up at once. */
async function tryServer(
  says: string | "close",
  options: WorldOptions & { serving?: boolean } = {},
): Promise<Tried> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const heard: string[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      using open = connection;
      if (says === "close") continue;
      await open.write(new TextEncoder().encode(says));
      const buffer = new Uint8Array(100);
      let said = "";
      while (!said.includes("QUIT")) {
        const length = await open.read(buffer).catch(() => null);
        if (length === null) break;
        said += new TextDecoder().decode(buffer.subarray(0, length));
        await open.write(new TextEncoder().encode("250 yes\r\n")).catch(() => {});
      }
      heard.push(said);
    }
  })();
  try {
    const dialer = new LoopbackDialer(listener.addr.port);
    const findings = await checkGreeting({
      ...factsOf({ zone: ZONE, ...options }),
      dialer,
      clock: new FakeClock(),
      serving: options.serving ?? true,
    });
    return { findings, dialled: dialer.dialled, heard };
  } finally {
    listener.close();
    await serving;
  }
}

Deno.test("a server that greets with 220 is good and hears a farewell", async () => {
  const { findings, dialled, heard } = await tryServer("220 mail.example.com ESMTP\r\n");
  assert.deepEqual(findings.map(({ state }) => state), ["good", "good"]);
  assert.match(
    findings[0]!.is,
    /^mail\.example\.com at 192\.0\.2\.1:25 greets with 220 mail\.example\.com ESMTP$/,
  );
  assert.deepEqual(dialled, ["192.0.2.1 25", "198.51.100.7 25"]);
  assert.deepEqual(heard, ["QUIT\r\n", "QUIT\r\n"]);
});

Deno.test("a greeting with 554 is a finding with its text", async () => {
  const { findings } = await tryServer("554-no\r\n554 5.7.1 not for you\r\n");
  assert.equal(findings[0]!.state, "wrong");
  assert.match(findings[0]!.is, /greets with 554 /);
  assert.match(findings[0]!.should ?? "", /220/);
});

Deno.test("what is no greeting is a finding", async () => {
  const { findings: [noReply] } = await tryServer("SSH-2.0-x\x1b[2J\r\n");
  assert.equal(noReply!.state, "wrong");
  assert.match(noReply!.is, /is no reply: SSH-2\.0-x\?/);
  const { findings: [closed] } = await tryServer("close");
  assert.equal(closed!.state, "wrong");
});

Deno.test("a server that stays silent is given up in time", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const clock = new FakeClock();
  const dialer = new LoopbackDialer(listener.addr.port);
  const zone: Zone = { "example.com": { A: ["192.0.2.1"] } };
  const checking = checkGreeting({
    ...factsOf({ zone }),
    dialer,
    clock,
    patience: 700,
    serving: true,
  });
  using _connection = await listener.accept();
  await dialer.connected.promise;
  clock.advance(700);
  const [finding] = await checking;
  assert.equal(finding?.state, "wrong");
  assert.match(finding?.is ?? "", /^example\.com at 192\.0\.2\.1:25: no answer$/);
  assert.match(finding?.should ?? "", /; many networks close port 25, RELAY_HOST helps$/);
  assert.equal(clock.pending, 0);
});

Deno.test("who refuses connections is a finding", async () => {
  const [finding] = await checkGreeting({
    ...factsOf({ zone: ZONE }),
    dialer: new LoopbackDialer(freePort()),
    clock: new FakeClock(),
    serving: true,
  });
  assert.equal(finding?.state, "wrong");
  assert.match(finding?.is ?? "", /connection refused$/);
});

Deno.test("what helps with port 25 is no advice for another port", async () => {
  const facts = factsOf({ zone: ZONE });
  const [finding] = await checkGreeting({
    ...facts,
    mail: { ...facts.mail, RELAY_PORT: 2525 },
    dialer: new LoopbackDialer(freePort()),
    clock: new FakeClock(),
    serving: true,
  });
  assert.deepEqual([finding?.state, finding?.should], ["wrong", "a greeting with 220"]);
});

Deno.test("a server that does not run yet cannot greet, which is no finding", async () => {
  const [own, other] = await checkGreeting({
    ...factsOf({ zone: ZONE }),
    dialer: new LoopbackDialer(freePort()),
    clock: new FakeClock(),
    serving: false,
  });
  assert.equal(own?.state, "unknown");
  assert.match(own?.is ?? "", /denosmtpd does not run yet/);
  assert.equal(other?.state, "wrong");
});

Deno.test("with RELAY_HOST that host is tried, at its port", async () => {
  const relayHost = { host: "relay.example", port: 587 };
  const zone: Zone = { ...ZONE, "relay.example": { A: ["198.51.100.9"] } };
  const { findings, dialled } = await tryServer("220 relay.example\r\n", { relayHost, zone });
  assert.deepEqual(dialled, ["198.51.100.9 587"]);
  assert.deepEqual([findings[0]!.about, findings[0]!.state], ["port 587 outward", "good"]);
});

Deno.test("a RELAY_HOST by address needs no DNS", async () => {
  const relayHost = { host: "198.51.100.9", port: undefined };
  const { dialled } = await tryServer("220 relay.example\r\n", { relayHost, zone: {} });
  assert.deepEqual(dialled, ["198.51.100.9 25"]);
});

Deno.test("a HOSTNAME that is an address is tried where it is", async () => {
  const { dialled } = await tryServer("220 x\r\n", { hostname: "[192.0.2.1]", domains: [] });
  assert.deepEqual(dialled, ["192.0.2.1 25"]);
});

Deno.test("IPv6 addresses are left out where there is no IPv6, and of many hosts some are tried", async () => {
  const A = Array.from({ length: 9 }, (_, i) => `198.51.100.${i}`);
  const zone: Zone = { "example.com": { AAAA: ["2001:db8::1"], A } };
  const { dialled } = await tryServer("220 x\r\n", { zone });
  assert.deepEqual(dialled, A.slice(0, 4).map((address) => `${address} 25`));
});

Deno.test("where no host is known nothing is tried", async () => {
  const { findings, dialled } = await tryServer("220 x\r\n", { zone: {} });
  assert.deepEqual([findings.map(({ state }) => state), dialled], [["unknown"], []]);
});
