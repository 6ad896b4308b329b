/** DNS records as a zone file has them, for people to copy. Names are without their last dot. */

import { parseIp } from "../smtp/ip.ts";

/** Octets of one character-string of a TXT record (RFC 1035 3.3). */
const MAX_STRING = 255;

/** `mail.example.com.  A  192.0.2.1` */
export function addressRecord(name: string, address: string): string {
  return `${name}.  ${address.includes(":") ? "AAAA" : "A"}  ${address}`;
}

/** `example.com.  MX  10 mail.example.com.` */
export function mxRecord(domain: string, preference: number, exchange: string): string {
  return `${domain}.  MX  ${preference} ${exchange}.`;
}

/** `1.2.0.192.in-addr.arpa.  PTR  mail.example.com.` */
export function ptrRecord(address: string, name: string): string {
  return `${reverseName(address)}.  PTR  ${name}.`;
}

/** `example.com.  TXT  "v=spf1 mx -all"`; a long text stands in several strings. */
export function txtRecord(name: string, text: string): string {
  const strings = text.match(new RegExp(`.{1,${MAX_STRING}}`, "gs")) ?? [""];
  const quoted = strings.map((string) => `"${string.replace(/["\\]/g, "\\$&")}"`);
  return `${name}.  TXT  ${quoted.join(" ")}`;
}

/** The name whose PTR record names an address (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string {
  const bytes = parseIp(address);
  if (!bytes) throw new TypeError(`${address} is no IP address`);
  if (bytes.length === 4) return `${bytes.toReversed().join(".")}.in-addr.arpa`;
  return `${[...bytes.toHex()].reverse().join(".")}.ip6.arpa`;
}
