/** Whether a domain's mail comes to this machine (RFC 5321 5.1). */

import type { MxRecord } from "../relay/resolver.ts";
import { canonicalIp } from "../smtp/ip.ts";
import { type Facts, isPublicName, ownRecords } from "./facts.ts";
import { type Finding, good, join, note, unknown, wrong } from "./finding.ts";
import { behindNat } from "./host_name.ts";
import { allAddresses } from "./lookup.ts";
import type { Where } from "./machine.ts";
import { mxRecord } from "./record.ts";

/** The preference of a record that is to be made. */
const PREFERENCE = 10;

/** What an exchange is: where it leads, or why it is none. */
type Place = { readonly fault: string } | { readonly leads: readonly Where[] };

/** `domain` is in lower case. Rejects with ResolverError. */
export async function checkMx(domain: string, facts: Facts): Promise<Finding> {
  const about = `MX of ${domain}`;
  const answer = await facts.lookup.mx(domain);
  if (answer.kind !== "records") return await checkWithoutMx(domain, answer.kind, facts);
  const records = answer.records.toSorted((a, b) => a.preference - b.preference);
  const is = `${domain} has MX ${
    join(records.map(({ preference, exchange }) => `${preference} ${exchange || "."}`))
  }`;
  const bad = (why: string, mend = mending(domain, records, facts)) =>
    wrong(about, `${is}; ${why}`, shouldLead(facts), mend);

  if (records.every(({ exchange }) => exchange === "")) {
    return bad("that is the null MX: the domain takes no mail at all (RFC 7505)");
  }
  const places = await Promise.all(records.map((record) => placeOf(record, facts)));
  const faults = places.flatMap((place) => "fault" in place ? place.fault : []);
  if (faults.length > 0) {
    const own = places.some((place, i) => "fault" in place && isHost(records[i]!.exchange, facts));
    // Where the record is right, it is the name in it that has to be mended.
    const mend = own ? ownRecords(facts.mail.HOSTNAME.toLowerCase(), facts.machine) : undefined;
    return bad(faults.join("; "), mend);
  }
  if (records.some(({ exchange }) => isHost(exchange, facts))) {
    return good(about, `${is}, HOSTNAME`);
  }
  const leads = places.flatMap((place) => "leads" in place ? place.leads : []);
  if (leads.includes("here")) return good(about, `${is}, this machine`);
  if (leads.includes("not listened on")) {
    return bad("that leads to this machine, but not where LISTEN_ADDR listens");
  }
  if (leads.includes("unknown")) return unknown(about, `${is}; ${behindNat(facts)}`);
  return bad("none of them leads to this machine");
}

/** Without an MX record the domain is its own host. */
async function checkWithoutMx(
  domain: string,
  absence: "no data" | "no such domain",
  facts: Facts,
): Promise<Finding> {
  const about = `MX of ${domain}`;
  if (isHost(domain, facts)) return note(about, "no MX record, so the host name's address counts");
  const bad = (is: string) => wrong(about, is, shouldLead(facts), mending(domain, [], facts));
  if (absence === "no such domain") return bad(`${domain} does not exist in DNS`);
  const answer = await allAddresses(facts.lookup, domain);
  if (answer.kind !== "records") return bad(`${domain} has neither an MX record nor an address`);
  const is = `${domain} has no MX record, so its address ${join(answer.records)} counts`;
  const leads = answer.records.map((address) => facts.machine.whereIs(address));
  if (leads.includes("here")) return good(about, `${is}, this machine`);
  if (leads.includes("unknown")) return unknown(about, `${is}; ${behindNat(facts)}`);
  return bad(`${is}, which is not this machine`);
}

/** Where that one leads is the host name's finding. */
function isHost(name: string, { mail }: Facts): boolean {
  return name === mail.HOSTNAME.toLowerCase();
}

async function placeOf({ exchange }: MxRecord, facts: Facts): Promise<Place> {
  const { lookup, machine } = facts;
  if (exchange === "") return { fault: "the null MX must stand alone (RFC 7505)" };
  if (canonicalIp(exchange) !== undefined) {
    return { fault: `${exchange} is an address, an MX record needs a name (RFC 5321 5.1)` };
  }
  const alias = await lookup.alias(exchange);
  if (alias !== undefined) {
    return { fault: `${exchange} is a CNAME of ${alias}, which an MX must not be (RFC 2181 10.3)` };
  }
  if (isHost(exchange, facts)) return { leads: [] };
  const answer = await allAddresses(lookup, exchange);
  if (answer.kind === "records") {
    return { leads: answer.records.map((address) => machine.whereIs(address)) };
  }
  return {
    fault: `${exchange} ${answer.kind === "no data" ? "has no address" : "does not exist"}`,
  };
}

function shouldLead({ mail }: Facts): string {
  return isPublicName(mail.HOSTNAME)
    ? "an MX record with HOSTNAME, which leads to this machine"
    : "an MX record with a name that leads to this machine";
}

/** The record that should be there. A host that is known by its address alone gets a name for it. */
function mending(domain: string, records: readonly MxRecord[], { mail, machine }: Facts): string[] {
  const preference = records.find(({ preference }) => preference > 0)?.preference ?? PREFERENCE;
  if (isPublicName(mail.HOSTNAME)) {
    return [mxRecord(domain, preference, mail.HOSTNAME.toLowerCase())];
  }
  const name = `mail.${domain}`;
  return [mxRecord(domain, preference, name), ...ownRecords(name, machine)];
}
