/** A carrier with one message, and servers that are the test. */

import assert from "node:assert/strict";
import type { RelaySettings } from "../../src/config/relay_tls.ts";
import { HostMemory } from "../../src/relay/hosts.ts";
import { RemoteCarrier } from "../../src/relay/remote_carrier.ts";
import type { StsPolicy } from "../../src/relay/sts_policy.ts";
import type { Dialer } from "../../src/relay/wire.ts";
import type { ClientLogin } from "../../src/smtp/client_login.ts";
import { replyText } from "../../src/smtp/reply.ts";
import { idOf, MINUTE } from "../queue/messages.ts";
import { type Office, openOffice } from "../queue/office.ts";
import { NameService } from "../simulation/name_service.ts";
import { FakeWire } from "../support/fake_wire.ts";
import { answer } from "./conversation.ts";

export const OFFER = "250-s\r\n250 STARTTLS\r\n";

/** Every connection is to a server that is the test. */
export class TestDialer implements Dialer {
  /** Where they were opened to, in order. */
  readonly dialled: string[] = [];
  readonly #wires: FakeWire[] = [];
  #waiting = Promise.withResolvers<void>();

  get dials(): number {
    return this.dialled.length;
  }

  connect(address: string, port: number): Promise<FakeWire> {
    const wire = new FakeWire();
    this.dialled.push(`${address}:${port}`);
    this.#wires.push(wire);
    this.#waiting.resolve();
    return Promise.resolve(wire);
  }

  /** The next connection. */
  async next(): Promise<FakeWire> {
    while (this.#wires.length === 0) {
      this.#waiting = Promise.withResolvers();
      await this.#waiting.promise;
    }
    return this.#wires.shift()!;
  }

  /** The next connection, which has been greeted and has heard what is offered. */
  async greet(
    offer = OFFER,
    certificate: FakeWire["certificate"] = "none",
  ): Promise<FakeWire> {
    const wire = await this.next();
    wire.certificate = certificate;
    wire.say("220 s\r\n");
    await answer(wire, offer);
    return wire;
  }
}

export interface CarrierOptions extends Partial<RelaySettings> {
  readonly login?: ClientLogin;
  /** Of the domain. */
  readonly policy?: StsPolicy;
  /** The domain, if not x.y. */
  readonly domain?: string;
}

const SETTINGS: RelaySettings = {
  RELAY_TLS: "may",
  RELAY_TLS_FOR: [],
  RELAY_HOST: { host: "192.0.2.1", port: undefined },
  RELAY_PORT: 25,
};

/**
 * A queue with one message, and who brings it to a host at 192.0.2.1; without a RELAY_HOST to the
 * domain's own, mx1 at 198.18.0.1 and mx2 at 198.18.0.2.
 */
export async function setUp(options: CarrierOptions = {}) {
  const office = await openOffice();
  await office.receive();
  const { clock, log } = office;
  const dialer = new TestDialer();
  const hosts = new HostMemory(clock, 2 * MINUTE);
  const { login, policy, domain = "x.y", ...settings } = options;
  const mail = { ...SETTINGS, ...settings };
  const names = new NameService();
  names.names.set(domain, { mx: [`10 mx1.${domain}`, `20 mx2.${domain}`] });
  names.names.set(`mx1.${domain}`, { at: ["198.18.0.1"] });
  names.names.set(`mx2.${domain}`, { at: ["198.18.0.2"] });
  const asked: string[] = [];
  let found = policy;
  /** The domain's policy is this one from now on. */
  const adopt = (policy: StsPolicy) => void (found = policy);
  const policies = {
    policyFor: (name: string) => {
      asked.push(name);
      return Promise.resolve(found);
    },
    forget: () => {},
  };
  const carrier = () =>
    new RemoteCarrier(domain, {
      route: {
        resolver: names,
        random: () => 0,
        port: 25,
        isOwnName: () => false,
        isOwnAddress: () => false,
        ipv6: true,
        loopback: false,
        relayHost: mail.RELAY_HOST,
      },
      protection: { mail, login, policies },
      dialer,
      hosts,
      clock,
      log,
      host: "me.example",
    });
  return { office, dialer, hosts, carrier, asked, adopt };
}

/** One attempt by this carrier, which rests then. Returns when the message is released. */
export async function attempt(office: Office, carrier: RemoteCarrier): Promise<void> {
  await carryNext(office, carrier);
  await carrier.rest();
}

/** One attempt by this carrier, whose connection stays open. Returns when the message is released. */
export async function carryNext(office: Office, carrier: RemoteCarrier): Promise<void> {
  const message = await office.take();
  const recipients = message.due().map(({ forwardPath }) => forwardPath);
  await message.begin(recipients);
  const settle = message.settle.bind(message);
  const withdraw = () => Promise.resolve();
  await carrier.carry({ message, recipients, settle, withdraw, done: () => {} });
  await message.release();
}

/** What the disk says of the message's recipient. */
export async function recipientOf({ spool }: Office) {
  return (await spool.read(idOf(1))).recipients[0] ?? assert.fail();
}

export async function record(office: Office) {
  const { state, attempts, last } = await recipientOf(office);
  return [state, attempts, last && replyText(last.reply)];
}
