/**
 * This side's own judgements of mail that goes out, each once and in the form of a reply. They
 * stand in logs and reports where no server has said anything. Enhanced codes are those of RFC 3463,
 * RFC 7505 and the registry of RFC 5248.
 */

import type { Reply } from "../smtp/reply.ts";

function verdict(code: number, status: string, line: string): Reply {
  return { code, status, lines: [line] };
}

// For good: the message goes back. A domain is a name or a literal as a Mailbox holds it.
export const noSuchDomain = (domain: string) =>
  verdict(550, "5.1.2", `The domain ${domain} does not exist`);
export const unusableLiteral = (literal: string) =>
  verdict(550, "5.1.2", `${literal} is no address that this host can send to`);
export const nullMx = (domain: string) =>
  verdict(556, "5.1.10", `The domain ${domain} takes no mail, says its null MX record`);
export const mailLoop = (domain: string) =>
  verdict(554, "5.4.6", `Mail for ${domain} leads back to this host, which does not take it`);
export const noUsableHost = (domain: string) =>
  verdict(550, "5.4.4", `The domain ${domain} has no host that mail could be sent to`);

// For now: the message waits.
export const noConnection = (host: string, why: string) =>
  verdict(451, "4.4.1", `${host} cannot be connected to: ${why}`);
export const noIpv6 = (host: string) =>
  verdict(451, "4.4.1", `${host} cannot be connected to: this host has no IPv6`);
export const searchedLong = (domain: string) =>
  verdict(451, "4.4.1", `The hosts of ${domain} take so long that not all of them were tried`);
/** Another attempt can follow at once. */
export const interrupted = verdict(451, "4.3.2", "This host shut down before there was an answer");
/** The part of this host that delivers ended before it answered. */
export const unanswered = verdict(451, "4.3.0", "This host could not finish the delivery");
export const needsTls = verdict(454, "4.7.5", "The host wants TLS, but the handshake failed");
export const tlsForbidden = (host: string) =>
  verdict(451, "4.7.4", `${host} wants TLS, which RELAY_TLS or RELAY_TLS_FOR forbids`);
/** Before the handshake anybody may have said it. */
export const unprovenRefusal = (host: string, reply: string) =>
  verdict(451, "4.7.0", `${host} has not proved who it is and says: ${reply}`);
/** Our configuration is wrong, or the server's is; the mail is not. */
export const loginRefused = (host: string, reply: string) =>
  verdict(451, "4.7.8", `${host} refuses the login of RELAY_LOGIN_FILE: ${reply}`);
export const notInPolicy = (domain: string, host: string) =>
  verdict(451, "4.7.0", `The policy of ${domain} (MTA-STS) does not allow mail to go to ${host}`);
export const policyNotMet = (domain: string, host: string, why: string) =>
  verdict(451, "4.7.5", `${host} does not meet the policy of ${domain} (MTA-STS): ${why}`);
export const unreadable = verdict(451, "4.3.0", "This host could not read the message");
export const nameServerTrouble = (domain: string) =>
  verdict(451, "4.4.3", `No name server gives a usable answer about ${domain}`);
/** RELAY_HOST is wrong, or DNS is; the mail is not. */
export const relayHostUnknown = (host: string) =>
  verdict(451, "4.4.3", `No address to connect to is known for RELAY_HOST ${host}`);
export const relayHostIsSelf = (host: string) =>
  verdict(451, "4.3.5", `RELAY_HOST ${host} leads back to this host`);
