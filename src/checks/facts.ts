/** What the checks of names and addresses go by. */

import type { MailConf } from "../config/mail_conf.ts";
import type { Lookup } from "./lookup.ts";
import { addressRecord } from "./record.ts";
import { isLoopback, isPublic, type Machine } from "./machine.ts";

export interface Facts {
  readonly mail: Pick<
    MailConf,
    | "HOSTNAME"
    | "LOCAL_DOMAINS"
    | "LISTEN_ADDR"
    | "RELAY_HOST"
    | "RELAY_PORT"
    | "RELAY_TLS"
    | "RELAY_TLS_FOR"
  >;
  readonly machine: Machine;
  readonly lookup: Lookup;
}

/** Whether other hosts can look it up: no address literal, no single label. */
export function isPublicName(domain: string): boolean {
  return domain.includes(".") && !domain.startsWith("[");
}

/** The domains whose mail is local that others can look up, HOSTNAME first; in lower case. */
export function publicDomains({ HOSTNAME, LOCAL_DOMAINS }: Facts["mail"]): string[] {
  const names = [HOSTNAME, ...LOCAL_DOMAINS].map((name) => name.toLowerCase());
  return [...new Set(names)].filter(isPublicName);
}

/** Whether no other host can send anything here. */
export function onlyLoopback({ LISTEN_ADDR }: Facts["mail"]): boolean {
  return LISTEN_ADDR.every(isLoopback);
}

/** The address records of a name of this machine; none where its public addresses are not known. */
export function ownRecords(name: string, { listening }: Machine): string[] {
  return listening.filter(isPublic).map((address) => addressRecord(name, address));
}
