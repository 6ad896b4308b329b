/** Whether the addresses that mail leaves from have names that lead back to them. */

import { literalAddress } from "../smtp/ip.ts";
import { type Facts, isPublicName } from "./facts.ts";
import { type Finding, good, join, unknown, wrong } from "./finding.ts";
import { allAddresses } from "./lookup.ts";
import { isPublic } from "./machine.ts";
import { addressRecord, ptrRecord } from "./record.ts";

/**
 * The addresses that other hosts see mail come from: the machine's public ones, and where it is
 * behind NAT those of HOSTNAME. Rejects with ResolverError.
 */
export async function outgoingAddresses({ mail, machine, lookup }: Facts): Promise<string[]> {
  const addresses = await ofHostName(mail.HOSTNAME, lookup);
  const translated = addresses.filter((address) => {
    return isPublic(address) && machine.whereIs(address) === "unknown";
  });
  return [...new Set([...machine.publicAddresses, ...translated])];
}

async function ofHostName(hostname: string, lookup: Facts["lookup"]): Promise<readonly string[]> {
  if (hostname.startsWith("[")) return [literalAddress(hostname) ?? []].flat();
  if (!isPublicName(hostname)) return [];
  const answer = await allAddresses(lookup, hostname);
  return answer.kind === "records" ? answer.records : [];
}

/** Rejects with ResolverError. */
export async function checkPtr(address: string, { mail, lookup }: Facts): Promise<Finding> {
  const about = `PTR of ${address}`;
  const hostname = mail.HOSTNAME.toLowerCase();
  const leadsBack = async (name: string) => {
    const answer = await allAddresses(lookup, name);
    return answer.kind === "records" && answer.records.includes(address);
  };
  const mend = async () => {
    if (!isPublicName(hostname)) return [];
    const own = await leadsBack(hostname) ? [] : [addressRecord(hostname, address)];
    return [ptrRecord(address, hostname), ...own];
  };
  const should = "a name that leads back to it, best HOSTNAME; who rents out the address sets it";

  const answer = await lookup.ptr(address);
  if (answer.kind !== "records") {
    return wrong(about, `${address} has no name`, should, await mend());
  }
  const names = answer.records;
  const confirmed: string[] = [];
  for (const name of names) if (await leadsBack(name)) confirmed.push(name);
  const is = `${address} is ${join(names)}`;
  if (confirmed.includes(hostname)) return good(about, `${is}, and back`);
  if (confirmed.length > 0) {
    return good(about, `${is}, and back; HOSTNAME as its name would be better still`);
  }
  const words = `${is}, which does not lead back to it`;
  // Of HOSTNAME itself it is the address record that is missing.
  if (names.includes(hostname)) {
    return wrong(about, words, should, [addressRecord(hostname, address)]);
  }
  return wrong(about, words, should, await mend());
}

/** What is said where no outgoing address is known. */
export function noOutgoingAddress(): Finding {
  return unknown(
    "outgoing address",
    "this machine has no public address and HOSTNAME names none, so PTR and SPF cannot be checked",
  );
}
