/** Whether HOSTNAME leads other hosts to this machine. */

import { literalAddress } from "../smtp/ip.ts";
import { type Facts, isPublicName, ownRecords } from "./facts.ts";
import { type Finding, good, join, note, unknown, wrong } from "./finding.ts";
import { allAddresses } from "./lookup.ts";
import { isPublic } from "./machine.ts";

const ABOUT = "host name";

/** Rejects with ResolverError. */
export async function checkHostName(facts: Facts): Promise<Finding> {
  const { mail, lookup, machine } = facts;
  const name = mail.HOSTNAME.toLowerCase();
  if (name.startsWith("[")) return checkLiteral(mail.HOSTNAME, facts);
  if (!isPublicName(name)) {
    const domain = mail.LOCAL_DOMAINS.find(isPublicName);
    const mend = domain === undefined ? [] : [`HOSTNAME = ${name}.${domain}`];
    const is = `HOSTNAME is ${mail.HOSTNAME}, which other hosts cannot look up`;
    return wrong(ABOUT, is, "a whole name, such as mail.example.com", mend);
  }
  const answer = await allAddresses(lookup, name);
  if (answer.kind !== "records") {
    const is = answer.kind === "no data"
      ? `${name} has no address`
      : `${name} does not exist in DNS`;
    return wrong(ABOUT, is, shouldLead(facts), ownRecords(name, machine));
  }
  return checkAddresses(name, answer.records, facts);
}

function checkAddresses(name: string, addresses: readonly string[], facts: Facts): Finding {
  const { machine, mail } = facts;
  const at = Map.groupBy(addresses, (address) => machine.whereIs(address));
  const { here = [], elsewhere, unseen, away } = {
    here: at.get("here"),
    elsewhere: at.get("elsewhere"),
    unseen: at.get("unknown"),
    away: at.get("not listened on"),
  };
  const is = `${name} is ${join(addresses)}`;
  if (elsewhere) {
    const has = machine.listening.length > 0 ? ` (it has ${join(machine.listening)})` : "";
    const which = elsewhere.length === addresses.length ? "which" : join(elsewhere);
    const words = `${is}; ${which} is not this machine${has}`;
    return wrong(ABOUT, words, shouldLead(facts), ownRecords(name, machine));
  }
  if (away) {
    const listen = [...mail.LISTEN_ADDR, ...away].join(", ");
    return wrong(
      ABOUT,
      `${is}; LISTEN_ADDR does not listen on ${join(away)}`,
      "every address of the name listened on, or taken out of DNS",
      [`LISTEN_ADDR = ${listen}`],
    );
  }
  if (unseen) return unknown(ABOUT, `${is}; ${behindNat(facts)}`);
  if (!here.some(isPublic)) {
    return note(ABOUT, `${is}, this machine, which is seen in its own network alone`);
  }
  return good(ABOUT, `${is}, this machine`);
}

function checkLiteral(literal: string, { machine }: Facts): Finding {
  const address = literalAddress(literal);
  const is = `HOSTNAME is ${literal}`;
  const own = machine.listening.find(isPublic);
  const mend = own === undefined ? [] : [
    `HOSTNAME = ${own.includes(":") ? `[IPv6:${own}]` : `[${own}]`}`,
  ];
  const should = "an address of this machine that is listened on, better a name";
  if (address === undefined) return wrong(ABOUT, `${is}, which is no IP address`, should, mend);
  switch (machine.whereIs(address)) {
    case "here":
      return isPublic(address)
        ? good(ABOUT, `${is}, an address of this machine`)
        : note(ABOUT, `${is}, which is seen in this machine's own network alone`);
    case "unknown":
      return unknown(ABOUT, `${is}; ${behindNat({ machine })}`);
    case "not listened on":
      return wrong(ABOUT, `${is}, where LISTEN_ADDR does not listen`, should, mend);
    case "elsewhere":
      return wrong(ABOUT, `${is}, which is not this machine's`, should, mend);
  }
}

/** Why it cannot be told from here where a public address leads. */
export function behindNat({ machine }: Pick<Facts, "machine">): string {
  const own = machine.addresses.length > 0
    ? `has ${join(machine.addresses)}`
    : "has none to the outside";
  return `this machine ${own}, so it is behind address translation (NAT), ` +
    "and it cannot be told from here whether that leads to it";
}

function shouldLead({ machine }: Facts): string {
  return machine.listening.some(isPublic)
    ? "a name that leads to this machine and nowhere else"
    : "an A record with the public address behind which this machine is";
}
