/** All checks of a configuration that can be used, in their order. */

import type { Clock } from "../clock.ts";
import type { Configuration } from "../config/configuration.ts";
import { ResolverError } from "../relay/resolver.ts";
import type { Dialer } from "../relay/wire.ts";
import type { SpaceOf } from "../space.ts";
import { checkCertificateFiles } from "./certificate.ts";
import { checkDmarc } from "./dmarc.ts";
import { type Facts, onlyLoopback, publicDomains } from "./facts.ts";
import { type Finding, good, note, unknown } from "./finding.ts";
import { checkGreeting } from "./greeting.ts";
import { checkHostName } from "./host_name.ts";
import { type Lookup, UnreachableError } from "./lookup.ts";
import { Machine } from "./machine.ts";
import { checkMx } from "./mx.ts";
import { checkPasswords } from "./passwords.ts";
import { checkPorts, type PortsFound } from "./ports.ts";
import { checkPtr, noOutgoingAddress, outgoingAddresses } from "./ptr.ts";
import type { RelayHostFacts } from "./relay_host.ts";
import { settingNotes, userNotes } from "./settings.ts";
import { checkSpace } from "./space.ts";
import { checkSpf } from "./spf.ts";
import { checkStartTls } from "./tls.ts";

/** The world that the checks look at. */
export interface Surroundings {
  /** The machine's addresses, in canonical form. */
  readonly addresses: readonly string[];
  readonly lookup: Lookup;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly spaceOf: SpaceOf;
  /** Milliseconds that a server may take to answer; each kind of server has a preset. */
  readonly patience?: number;
}

/** Who connects to mail servers, and by which login. */
type Visitor = Omit<RelayHostFacts, "mail">;

/** Gives each finding as soon as it is known. `connect` is whether a mail server may be tried. */
export async function* findings(
  configuration: Configuration,
  ports: PortsFound,
  surroundings: Surroundings,
  connect: boolean,
): AsyncGenerator<Finding, void, void> {
  const { mail, ownAddresses, relayLogin } = configuration;
  const { addresses, lookup, clock, spaceOf } = surroundings;
  const facts: Facts = { mail, machine: new Machine(addresses, ownAddresses), lookup };
  const { dialer, patience } = surroundings;
  const visitor: Visitor = {
    dialer,
    clock,
    ...patience === undefined ? {} : { patience },
    ...relayLogin ? { login: relayLogin } : {},
  };
  yield* settingNotes(configuration);
  yield* userNotes(configuration);
  // Otherwise there would be no findings but problems.
  yield good("directories", "the queue's and the mailboxes' can be written");
  yield* await checkSpace(configuration, spaceOf);
  yield* checkPorts(configuration, ports);
  yield* await checkPasswords(configuration);
  let unreachable = false;
  for (
    const part of [incoming(facts), outgoing(facts), outward(facts, ports, visitor, connect)]
  ) {
    try {
      yield* part;
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      // Said once, whatever else would have been asked.
      if (!unreachable) yield unknown("DNS", `${error.message}; what needs it was not checked`);
      unreachable = true;
    }
  }
  yield* checkStartTls(configuration);
  yield* await checkCertificateFiles(mail, clock.now());
}

/** What others need to bring mail here. */
async function* incoming(facts: Facts): AsyncGenerator<Finding, void, void> {
  if (onlyLoopback(facts.mail)) {
    yield note("host name and MX", "not needed, only this machine itself is listened to");
    return;
  }
  yield* await certain("host name", async () => [await checkHostName(facts)]);
  for (const domain of publicDomains(facts.mail)) {
    yield* await certain(`MX of ${domain}`, async () => [await checkMx(domain, facts)]);
  }
}

/** What others look at when mail comes from here. */
async function* outgoing(facts: Facts): AsyncGenerator<Finding, void, void> {
  const { RELAY_HOST } = facts.mail;
  if (RELAY_HOST) {
    yield note("PTR, SPF and DMARC", `not checked, others see ${RELAY_HOST.host} (RELAY_HOST)`);
    return;
  }
  let addresses: readonly string[] = [];
  yield* await certain("outgoing address", async () => {
    addresses = await outgoingAddresses(facts);
    return addresses.length > 0 ? [] : [noOutgoingAddress()];
  });
  for (const address of addresses) {
    yield* await certain(`PTR of ${address}`, async () => [await checkPtr(address, facts)]);
  }
  for (const domain of publicDomains(facts.mail)) {
    yield* await certain(`SPF of ${domain}`, async () => {
      return addresses.length > 0 ? [await checkSpf(domain, addresses, facts)] : [];
    });
  }
  for (const domain of topmost(publicDomains(facts.mail))) {
    yield* await certain(`DMARC of ${domain}`, async () => [await checkDmarc(domain, facts)]);
  }
}

/** Those that are not below another of them, by whose DMARC record they go. */
function topmost(domains: readonly string[]): readonly string[] {
  return domains.filter((domain) => !domains.some((other) => domain.endsWith(`.${other}`)));
}

async function* outward(
  facts: Facts,
  { serving }: PortsFound,
  visitor: Visitor,
  connect: boolean,
): AsyncGenerator<Finding, void, void> {
  const about = `port ${facts.mail.RELAY_HOST?.port ?? facts.mail.RELAY_PORT} outward`;
  if (!connect) {
    yield note(about, "not tried, denosmtpd check --connect does");
    return;
  }
  yield* await certain(about, () => checkGreeting({ ...facts, ...visitor, serving }));
}

/** Trouble with one name keeps nothing else from being checked. */
async function certain(about: string, check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof ResolverError) || error instanceof UnreachableError) throw error;
    return [unknown(about, error.message)];
  }
}
