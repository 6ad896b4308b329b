/** RELAY_TLS and RELAY_TLS_FOR: how connections to other hosts are protected. */

import { sameDomain } from "../smtp/address.ts";
import { addressLiteral, parseIp } from "../smtp/ip.ts";
import { ValueError } from "./problem.ts";
import * as value from "./value.ts";

/**
 * `may`: TLS where it is offered, with whatever certificate. `verify`: TLS with a valid certificate,
 * or nothing is sent. `none`: plain text.
 */
export type RelayTls = "may" | "verify" | "none";

/** What holds for one domain, or for RELAY_HOST, in place of RELAY_TLS. */
export interface TlsForDomain {
  readonly domain: string;
  readonly tls: RelayTls;
}

export const relayTls = value.oneOf<RelayTls>("may", "verify", "none");

/** `example.com:verify, [192.0.2.1]:none`; each domain once. */
export function tlsForDomains(text: string): TlsForDomain[] {
  const entries = value.list(tlsForDomain)(text);
  const seen = new Set<string>();
  for (const { domain } of entries) {
    const name = domain.toLowerCase();
    if (seen.has(name)) throw new ValueError(`${domain} is named twice`);
    seen.add(name);
  }
  return entries;
}

function tlsForDomain(text: string): TlsForDomain {
  const colon = text.lastIndexOf(":");
  if (colon < 0) throw new ValueError(`"${text}" is not of the form example.com:verify`);
  return { domain: value.domain(text.slice(0, colon)), tls: relayTls(text.slice(colon + 1)) };
}

/** Of mail.conf, what says how connections are protected, and which. */
export interface RelaySettings {
  readonly RELAY_TLS: RelayTls;
  readonly RELAY_TLS_FOR: readonly TlsForDomain[];
  readonly RELAY_HOST: value.HostPort | undefined;
  readonly RELAY_PORT: number;
}

/**
 * What holds for a domain, a literal or a host's address, and whether it is named: its own entry
 * counts, not one of a domain above it.
 */
export function relayTlsFor(
  { RELAY_TLS, RELAY_TLS_FOR }: Pick<RelaySettings, "RELAY_TLS" | "RELAY_TLS_FOR">,
  name: string,
): { readonly tls: RelayTls; readonly named: boolean } {
  const ip = parseIp(name);
  const wanted = ip ? addressLiteral(ip) : name;
  const entry = RELAY_TLS_FOR.find(({ domain }) => sameDomain(domain, wanted));
  return { tls: entry?.tls ?? RELAY_TLS, named: entry !== undefined };
}

/** The port where TLS begins with the connection (RFC 8314 3.3). */
const SUBMISSIONS = 465;

/** Whether RELAY_HOST speaks TLS from the first octet on. */
export function isImplicitTls(
  { RELAY_HOST, RELAY_PORT }: Pick<RelaySettings, "RELAY_HOST" | "RELAY_PORT">,
): boolean {
  return RELAY_HOST !== undefined && (RELAY_HOST.port ?? RELAY_PORT) === SUBMISSIONS;
}

/** The variable whose value cannot be had with those of the others, and why. */
export function relayTlsProblem(
  conf: RelaySettings & { readonly RELAY_LOGIN_FILE: string | undefined },
): ["RELAY_HOST" | "RELAY_LOGIN_FILE", string] | undefined {
  const { RELAY_HOST, RELAY_LOGIN_FILE } = conf;
  const login = RELAY_LOGIN_FILE !== undefined;
  if (!RELAY_HOST) {
    return login ? ["RELAY_LOGIN_FILE", "needs RELAY_HOST, the host to log in at"] : undefined;
  }
  const { tls, named } = relayTlsFor(conf, RELAY_HOST.host);
  if (tls !== "none") return undefined;
  const forbids = `TLS, which ${named ? "RELAY_TLS_FOR" : "RELAY_TLS"} forbids`;
  if (login) return ["RELAY_LOGIN_FILE", `a login needs ${forbids}`];
  return isImplicitTls(conf) ? ["RELAY_HOST", `port ${SUBMISSIONS} needs ${forbids}`] : undefined;
}
