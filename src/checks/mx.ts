/** Whether a domain's mail comes to this machine (RFC 5321 5.1). */

import type { MxRecord } from "../relay/resolver.ts";
import { canonicalIp } from "../smtp/ip.ts";
import type { Facts } from "./facts.ts";
import { type Finding, good, join, note, unknown, wrong } from "./finding.ts";
import { behindNat } from "./host_name.ts";
import { allAddresses } from "./lookup.ts";
import { type Exchange, mendedMx, printedMx, whereto } from "./mx_mend.ts";

/** `domain` is in lower case. Rejects with ResolverError. */
export async function checkMx(domain: string, facts: Facts): Promise<Finding> {
  const about = `MX of ${domain}`;
  const answer = await facts.lookup.mx(domain);
  if (answer.kind !== "records") return await checkWithoutMx(domain, answer.kind, facts);
  const records = answer.records.toSorted((a, b) => a.preference - b.preference);
  const exchanges = await Promise.all(records.map((record) => exchangeOf(record, facts)));
  const is = `${domain} has MX ${join(records.map(printedMx))}`;
  const bad = (why: string) => {
    const { should, mend } = mendedMx(domain, exchanges, facts);
    return wrong(about, `${is}; ${why}`, should, mend);
  };
  if (records.every(({ exchange }) => exchange === "")) {
    return bad("that is the null MX: the domain takes no mail at all (RFC 7505)");
  }
  const faults = exchanges.flatMap(({ fault }) => fault ?? []);
  if (faults.length > 0) return bad(faults.join("; "));
  switch (whereto(exchanges)) {
    case "HOSTNAME":
      return good(about, `${is}, HOSTNAME`);
    case "here":
      return good(about, `${is}, this machine`);
    case "not listened on":
      return bad("that leads to this machine, but not where LISTEN_ADDR listens");
    case "unknown":
      return unknown(about, `${is}; ${behindNat(facts)}`);
    case "elsewhere":
      return bad("none of them leads to this machine");
  }
}

/** Without an MX record the domain is its own host. */
async function checkWithoutMx(
  domain: string,
  absence: "no data" | "no such domain",
  facts: Facts,
): Promise<Finding> {
  const about = `MX of ${domain}`;
  if (isHost(domain, facts)) return note(about, "no MX record, so the host name's address counts");
  const bad = (is: string) => {
    const { should, mend } = mendedMx(domain, [], facts);
    return wrong(about, is, should, mend);
  };
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

async function exchangeOf(record: MxRecord, facts: Facts): Promise<Exchange> {
  const { lookup, machine } = facts;
  const { exchange } = record;
  const isOwn = isHost(exchange, facts);
  const faulty = (fault: string) => ({ record, isHost: isOwn, leads: [], fault });
  if (exchange === "") return faulty("the null MX must stand alone (RFC 7505)");
  if (canonicalIp(exchange) !== undefined) {
    return faulty(`${exchange} is an address, an MX record needs a name (RFC 5321 5.1)`);
  }
  const alias = await lookup.alias(exchange);
  if (alias !== undefined) {
    return faulty(`${exchange} is a CNAME of ${alias}, which an MX must not be (RFC 2181 10.3)`);
  }
  if (isOwn) return { record, isHost: true, leads: [] };
  const answer = await allAddresses(lookup, exchange);
  if (answer.kind === "records") {
    const leads = answer.records.map((address) => machine.whereIs(address));
    return { record, isHost: false, leads };
  }
  return faulty(`${exchange} ${answer.kind === "no data" ? "has no address" : "does not exist"}`);
}
