/** mail.conf: `NAME = value` per line, in any order. Every name, its reader and its preset. */

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { canonicalIp } from "../smtp/ip.ts";
import { readLines } from "./lines.ts";
import { minFree } from "./min_free.ts";
import { ConfigurationError, type Problem, ValueError } from "./problem.ts";
import { relayTls, relayTlsProblem, tlsForDomains } from "./relay_tls.ts";
import * as value from "./value.ts";
import type { Reader } from "./value.ts";

interface Variable<T> {
  readonly read: Reader<T>;
  /** What holds where the file does not say: text for `read`, undefined for nothing at all. */
  readonly preset: (system: SystemFacts) => string | undefined;
}

/** What presets take from the system. Handed in, so that a test is not the machine it runs on. */
export interface SystemFacts {
  hostName(): string;
  /** The addresses of the machine's network interfaces. */
  addresses(): string[];
  /** systemd's $STATE_DIRECTORY. */
  stateDirectory(): string | undefined;
}

function variable<T>(read: Reader<T>, preset: string): Variable<T> {
  return { read, preset: () => preset };
}

/** A variable that may be left unset. */
function optional<T>(read: Reader<T>): Variable<T | undefined> {
  return { read, preset: () => undefined };
}

const VARIABLES = {
  /** Own name in replies and traces; mail for it is local. */
  HOSTNAME: {
    read: value.domain,
    preset: (system) => system.hostName(),
  } satisfies Variable<string>,
  /** IP addresses to listen on. */
  LISTEN_ADDR: variable(value.someOf(value.ipAddress), "127.0.0.1"),
  LISTEN_PORT: variable(value.listeningPort, "25"),
  RELAY_PORT: variable(value.port, "25"),
  MAX_CLIENTS: variable(value.wholeNumber(1, 1_000_000), "1000"),
  /** Seconds. */
  CLIENT_TIMEOUT: variable(value.duration(1, 86_400), "300"),
  LOCAL_DOMAINS: variable(value.list(value.domain), ""),
  RELAY_FROM: variable(value.networks, "127.0.0.0/8, ::1"),
  RELAY_HOST: optional(value.hostPort),
  SPOOL_DIR: {
    read: value.path,
    preset: (system) => {
      const state = system.stateDirectory();
      return state ? `${state}/spool` : "spool";
    },
  } satisfies Variable<string>,
  MIN_FREE: variable(minFree, "5%, 100M"),
  MAX_CLIENTS_PER_ADDRESS: variable(value.wholeNumber(1, 1_000_000), "50"),
  /** Octets; RFC 5321 4.5.3.1.7 asks for 64 KiB at least. */
  MAX_MESSAGE_SIZE: variable(value.size(64 * 1024, 1024 ** 4), "50M"),
  /** RFC 5321 4.5.3.1.8 asks for 100 at least. */
  MAX_RECIPIENTS: variable(value.wholeNumber(100, 1_000_000), "1000"),
  /** Seconds each; the last one repeats. */
  RETRY_DELAYS: variable(value.someOf(value.duration(1, 30 * 86_400)), "5m, 15m, 30m, 1h, 2h, 4h"),
  /** Seconds. */
  QUEUE_LIFETIME: variable(value.duration(60, 365 * 86_400), "5d"),
  NAME_SERVER: optional(value.addressPort),
  TLS_CERT: optional(value.path),
  TLS_KEY: optional(value.path),
  SUBMISSION_PORT: optional(value.listeningPort),
  SUBMISSIONS_PORT: optional(value.listeningPort),
  RELAY_TLS: variable(relayTls, "may"),
  RELAY_TLS_FOR: variable(tlsForDomains, ""),
  RELAY_LOGIN_FILE: optional(value.path),
  LOG_LEVEL: variable(value.oneOf("debug", "info", "warn", "error"), "info"),
  LOG_FORMAT: variable(value.oneOf("text", "json"), "text"),
  /** Receiver threads that share the port. */
  WORKERS: variable(value.wholeNumber(1, 64), "1"),
};

/** The name of a variable, as the file spells it. */
export type VariableName = keyof typeof VARIABLES;

/** All of mail.conf, presets filled in. Plain data: it can be sent to a worker. */
export type MailConf = {
  readonly [Name in VariableName]: (typeof VARIABLES)[Name] extends Variable<infer T> ? T : never;
};

const NAMES = Object.keys(VARIABLES) as VariableName[];

/** mail.conf together with where its values stand. */
export interface MailConfFile {
  readonly conf: MailConf;
  /** The line of each variable that the file sets. */
  readonly lines: ReadonlyMap<VariableName, number>;
}

/** Reads and checks mail.conf. Throws ConfigurationError with everything that is wrong in it. */
export async function readMailConf(file: string, system: SystemFacts): Promise<MailConfFile> {
  const problems: Problem[] = [];
  const lines = new Map<VariableName, number>();
  const values: Record<string, unknown> = {};
  for (const { number: line, text } of await readLines(file)) {
    const complain = (message: string) => problems.push({ file, line, message });
    const match = /^([^=\s]+)\s*=\s*(.*)$/.exec(text);
    if (!match) {
      // It may be out of another file, a password or a key.
      complain("is not of the form NAME = value");
      continue;
    }
    const [, name = "", valueText = ""] = match;
    const earlier = lines.get(name as VariableName);
    if (!isVariable(name)) complain(unknownName(name));
    else if (earlier !== undefined) complain(`${name} is set already in line ${earlier}`);
    else {
      lines.set(name, line);
      read(name, valueText, complain);
    }
  }
  for (const name of NAMES) {
    if (lines.has(name)) continue;
    const preset = VARIABLES[name].preset(system);
    if (preset === undefined) continue;
    read(name, preset, (message) => problems.push({ file, message: `${message} (not set here)` }));
  }
  const conf = values as MailConf;
  if (problems.length === 0) problems.push(...contradictions(file, conf, lines, system));
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { conf, lines };

  function read(name: VariableName, text: string, complain: (message: string) => void): void {
    try {
      values[name] = VARIABLES[name].read(text);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      complain(`${name}: ${error.message}`);
    }
  }
}

function isVariable(name: string): name is VariableName {
  return Object.hasOwn(VARIABLES, name);
}

function unknownName(name: string): string {
  // What is no name may be out of another file too.
  if (!/^[a-z_]{1,40}$/i.test(name)) return "begins with no name, write NAME = value";
  const nearest = closestString(name.toUpperCase(), NAMES);
  const near = levenshteinDistance(name.toUpperCase(), nearest) <= nearest.length / 2;
  return `unknown name ${name}` +
    (near ? `, did you mean ${nearest}?` : ", the names there are stand in README.md");
}

/** Values that are each right but do not go together. */
function contradictions(
  file: string,
  conf: MailConf,
  lines: ReadonlyMap<VariableName, number>,
  system: SystemFacts,
): Problem[] {
  const problems: Problem[] = [];
  const complain = (name: VariableName, message: string) =>
    problems.push({ file, line: lines.get(name), message: `${name}: ${message}` });
  if (conf.TLS_CERT !== undefined && conf.TLS_KEY === undefined) {
    complain("TLS_CERT", "needs TLS_KEY beside it");
  }
  if (conf.TLS_KEY !== undefined && conf.TLS_CERT === undefined) {
    complain("TLS_KEY", "needs TLS_CERT beside it");
  }
  if (conf.WORKERS > conf.MAX_CLIENTS) {
    complain(
      "WORKERS",
      `${conf.WORKERS} threads are more than the ${conf.MAX_CLIENTS} of MAX_CLIENTS`,
    );
  }
  if (leadsBack(conf, system)) {
    complain("RELAY_HOST", "is this server itself, mail would never leave it");
  }
  const relay = relayTlsProblem(conf);
  if (relay) complain(...relay);
  const ports: [VariableName, number | undefined][] = [
    ["LISTEN_PORT", conf.LISTEN_PORT],
    ["SUBMISSION_PORT", conf.SUBMISSION_PORT],
    ["SUBMISSIONS_PORT", conf.SUBMISSIONS_PORT],
  ];
  ports.forEach(([name, port], i) => {
    const same = ports.slice(0, i).find((other) => port !== undefined && other[1] === port);
    if (same && port !== 0) complain(name, `port ${port} is ${same[0]} already`);
    const login = name !== "LISTEN_PORT" && port !== undefined;
    if (login && conf.TLS_CERT === undefined) complain(name, "needs TLS_CERT and TLS_KEY");
  });
  return problems;
}

/** Whether everything would be sent to where this very server listens. */
function leadsBack(
  { RELAY_HOST, RELAY_PORT, LISTEN_ADDR, LISTEN_PORT }: MailConf,
  system: SystemFacts,
): boolean {
  if (!RELAY_HOST || (RELAY_HOST.port ?? RELAY_PORT) !== LISTEN_PORT) return false;
  const { host } = RELAY_HOST;
  const all = LISTEN_ADDR.includes("::") || LISTEN_ADDR.includes("0.0.0.0");
  // Every address that begins with 127 is this machine, though its interface names one alone.
  return listenedOn(LISTEN_ADDR, system.addresses()).includes(host) ||
    all && host.startsWith("127.") && canonicalIp(host) !== undefined;
}

/** The addresses listened on, with those of the machine behind `0.0.0.0` (IPv4) and `::` (all). */
export function listenedOn(
  listening: readonly string[],
  machine: readonly string[],
): readonly string[] {
  const own = listening.flatMap((address) => {
    if (address === "::") return machine;
    return address === "0.0.0.0" ? machine.filter((other) => !other.includes(":")) : [address];
  });
  return [...new Set(own)];
}
