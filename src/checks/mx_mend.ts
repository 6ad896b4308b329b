/** The MX records that a domain should have instead of those it has. */

import type { MxRecord } from "../relay/resolver.ts";
import { type Facts, isPublicName, ownRecords } from "./facts.ts";
import { join } from "./finding.ts";
import { isPublic, type Where } from "./machine.ts";
import { mxRecord } from "./record.ts";

/** An MX record with what its name is. */
export interface Exchange {
  readonly record: MxRecord;
  /** Whether the name is HOSTNAME. Where that one leads is the host name's finding. */
  readonly isHost: boolean;
  /** Where else it leads. */
  readonly leads: readonly Where[];
  /** Why mail cannot be brought there. */
  readonly fault?: string;
}

export interface Mend {
  /** What is to change, in words. */
  readonly should: string;
  /** All MX records that there should be, if they change, and addresses that are missing. */
  readonly mend: readonly string[];
}

/** The preference of a record that is to be made. */
const PREFERENCE = 10;

/** The best that can be said of all of them. */
export function whereto(exchanges: readonly Exchange[]): Where | "HOSTNAME" {
  if (exchanges.some(({ isHost }) => isHost)) return "HOSTNAME";
  const leads = exchanges.flatMap(({ leads }) => leads);
  const order = ["here", "not listened on", "unknown"] as const;
  return order.find((where) => leads.includes(where)) ?? "elsewhere";
}

/**
 * Records that mail cannot be brought by have to go. Where none of the others leads here, all go,
 * and one with HOSTNAME takes their place.
 */
export function mendedMx(domain: string, exchanges: readonly Exchange[], facts: Facts): Mend {
  const { mail, machine } = facts;
  const hasName = isPublicName(mail.HOSTNAME);
  // A host that is known by its address alone gets a name for it.
  const name = hasName ? mail.HOSTNAME.toLowerCase() : `mail.${domain}`;
  // If HOSTNAME is at fault, the record is right: it is the name that has to be mended.
  const kept = exchanges.filter(({ isHost, fault }) => isHost || fault === undefined);
  const isCname = kept.some(({ fault }) => fault !== undefined);
  const stays = ["HOSTNAME", "here", "unknown"].includes(whereto(kept));

  const before = exchanges.map(({ record }) => record);
  const after = stays
    ? kept.map(({ record }) => record)
    : [{ preference: PREFERENCE, exchange: name }];
  const removed = without(before, after);
  const changes = removed.length > 0 || without(after, before).length > 0;
  const should = [
    ...stays ? [] : [shouldLead(facts)],
    ...isCname ? [`${name} with addresses of its own instead of the CNAME`] : [],
    ...removed.length > 0 ? [removal(removed)] : [],
  ];
  const lines = after.map(({ preference, exchange }) => mxRecord(domain, preference, exchange));
  const needsAddress = isCname || (!stays && !hasName);
  return {
    should: should.join("; "),
    mend: [...changes ? lines : [], ...needsAddress ? ownRecords(name, machine) : []],
  };
}

/** `10 mail.example.com`, `0 .` */
export function printedMx({ preference, exchange }: MxRecord): string {
  return `${preference} ${exchange || "."}`;
}

function without(records: readonly MxRecord[], others: readonly MxRecord[]): readonly MxRecord[] {
  const texts = new Set(others.map(printedMx));
  return records.filter((record) => !texts.has(printedMx(record)));
}

function removal(records: readonly MxRecord[]): string {
  return `${join(records.map(printedMx))} ${records.length === 1 ? "is" : "are"} to be removed`;
}

function shouldLead({ mail, machine }: Facts): string {
  if (isPublicName(mail.HOSTNAME)) return "an MX record with HOSTNAME, which leads to this machine";
  const lead = "an MX record with a name that leads to this machine";
  return machine.listening.some(isPublic)
    ? lead
    : `${lead}, and its A record with the public address behind which this machine is`;
}
