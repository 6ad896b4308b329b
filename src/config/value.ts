/** Readers of single values: text in, checked value out. Each throws ValueError saying what is right. */

import { parseDomain } from "../smtp/address.ts";
import { canonicalIp } from "../smtp/ip.ts";
import { type Network, parseNetwork } from "./network.ts";
import { ValueError } from "./problem.ts";

export type Reader<T> = (text: string) => T;

export function wholeNumber(least: number, most: number): Reader<number> {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new ValueError(`"${text}" is no whole number from ${least} to ${most}`);
  };
}

/** A TCP port. 0 stands for any free one, where the daemon listens. */
export const port = wholeNumber(1, 65535);
export const listeningPort = wholeNumber(0, 65535);

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };

/** `90`, `90s`, `5m`, `4h`, `5d`: seconds. */
export function duration(least: number, most: number): Reader<number> {
  return (text) => {
    const match = /^(\d{1,9})\s*([smhd]?)$/i.exec(text);
    const seconds = Number(match?.[1] ?? NaN) * (SECONDS[match?.[2]?.toLowerCase() || "s"] ?? NaN);
    if (seconds >= least && seconds <= most) return seconds;
    const several = /^\d+[smhd]?\s+\d/i.test(text) ? ", several with commas between them" : "";
    throw new ValueError(
      `"${text}" is no time from ${least} to ${most} seconds, write it like 300, 90s, 5m, 4h or 5d${several}`,
    );
  };
}

const OCTETS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `65536`, `64K`, `50M`, `1G`: octets. */
export function size(least: number, most: number): Reader<number> {
  return (text) => {
    const match = /^(\d{1,15})\s*([kmg]?)b?$/i.exec(text);
    const octets = Number(match?.[1] ?? NaN) * (OCTETS[match?.[2]?.toLowerCase() ?? ""] ?? NaN);
    if (octets >= least && octets <= most) return octets;
    throw new ValueError(`"${text}" is no size from ${least} to ${most} bytes, write it like 50M`);
  };
}

/** A domain name or an address literal, as a Mailbox holds its domain. */
export function domain(text: string): string {
  // Digits and dots would do for a name, but who writes an address means an address.
  const address = canonicalIp(text) !== undefined;
  const result = address ? undefined : parseDomain(text);
  if (result !== undefined) return result;
  const hint = address ? `, an address stands in brackets: [${text}]` : "";
  throw new ValueError(`"${text}" is no domain name or [address]${hint}`);
}

/** An IP address without brackets, in canonical form. */
export function ipAddress(text: string): string {
  const result = canonicalIp(text) ??
    (text.toLowerCase() === "localhost" ? "127.0.0.1" : undefined);
  if (result !== undefined) return result;
  throw new ValueError(`"${text}" is no IP address, write it like 127.0.0.1, 0.0.0.0 or ::`);
}

/** A host, with a port or without: `mx.example`, `[192.0.2.1]:587`, `192.0.2.1:587`. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

export function hostPort(text: string): HostPort {
  const ip = canonicalIp(text);
  if (ip !== undefined) return { host: ip, port: undefined };
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text);
  if (!match?.[1]) throw new ValueError(`"${text}" is no host, write it like mx.example:25`);
  return {
    host: domainOrAddress(match[1]),
    port: match[2] === undefined ? undefined : port(match[2]),
  };
}

/** `192.0.2.1`, `192.0.2.1:53`, `[2001:db8::1]:53`. */
export function addressPort(text: string): HostPort {
  const { host, port } = hostPort(text);
  if (canonicalIp(host) !== undefined) return { host, port };
  throw new ValueError(`"${text}" is no IP address, write it like 192.0.2.53 or 127.0.0.1:5353`);
}

function domainOrAddress(text: string): string {
  // Only an address may stand in brackets here: no other literal can be connected to.
  const bare = /^\[(?:ipv6:)?(.*)\]$/i.exec(text)?.[1];
  const address = canonicalIp(bare ?? text);
  if (address !== undefined) return address;
  if (bare === undefined) return domain(text);
  throw new ValueError(`"${text}" is no host, write it like mx.example:25`);
}

/** Items with commas between them; an empty text is an empty list. */
export function list<T>(item: Reader<T>): Reader<T[]> {
  return (text) =>
    text.split(",").map((part) => part.trim()).filter((part) => part !== "").map(item);
}

/** At least one item. */
export function someOf<T>(item: Reader<T>): Reader<T[]> {
  return (text) => {
    const items = list(item)(text);
    if (items.length > 0) return items;
    throw new ValueError("at least one value is needed");
  };
}

/** Networks with commas between them, or the word `none`. */
export function networks(text: string): Network[] {
  return text.toLowerCase() === "none" ? [] : someOf(parseNetwork)(text);
}

export function oneOf<T extends string>(...words: T[]): Reader<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text.toLowerCase());
    if (word !== undefined) return word;
    throw new ValueError(`"${text}" is none of ${words.join(", ")}`);
  };
}

/** A path of the operating system. */
export function path(text: string): string {
  // deno-lint-ignore no-control-regex
  if (text === "" || /[\x00-\x1f\x7f]/.test(text)) {
    throw new ValueError("a path has visible characters alone, one at least");
  }
  return text;
}
