/** `denosmtpd check MAIL_CONF USER_CONF`: what is wrong on a server, and what mends it. */

import { findings, type Surroundings } from "../checks/checks.ts";
import type { Finding } from "../checks/finding.ts";
import { DnsLookup } from "../checks/lookup.ts";
import { tryPorts } from "../checks/ports.ts";
import { spaceAround } from "../checks/space.ts";
import { systemClock } from "../clock.ts";
import { type Configuration, readConfiguration } from "../config/configuration.ts";
import type { SystemFacts } from "../config/mail_conf.ts";
import { ConfigurationError, type Problem, problemText } from "../config/problem.ts";
import { tryCertificate } from "../daemon/certificate.ts";
import { tryMailboxes, withRealPaths } from "../daemon/mailboxes.ts";
import { readReach } from "../daemon/reach.ts";
import { misplaced } from "../daemon/real_places.ts";
import { trySpool } from "../daemon/spool.ts";
import { system } from "../daemon/system.ts";
import { missingTls } from "../daemon/tls.ts";
import { SystemDisk } from "../disk.ts";
import { TcpDialer } from "../relay/wire.ts";
import { findingLines, jsonText, summary } from "./check_print.ts";
import { VERSION } from "./help.ts";
import { complain, Exit, say } from "./terminal.ts";

export interface CheckOptions {
  /** One JSON document instead of lines. */
  readonly json: boolean;
  /** Whether a mail server may be connected to. */
  readonly connect: boolean;
}

/** What a check sees and writes to. Handed in, so that a test is not the machine it runs on. */
export interface CheckWorld extends Omit<Surroundings, "addresses" | "lookup"> {
  readonly system: SystemFacts;
  readonly say: (text: string) => void;
  readonly complain: (text: string) => void;
}

const WORLD: CheckWorld = {
  system,
  dialer: new TcpDialer(),
  clock: systemClock,
  spaceOf: spaceAround,
  say,
  complain,
};

/** Says what would keep the daemon from serving, else what would keep mail from coming and going. */
export async function check(
  mailFile: string,
  userFile: string,
  { json, connect }: CheckOptions,
  world: CheckWorld = WORLD,
): Promise<Exit> {
  const configuration = await readOrProblems(mailFile, userFile, world.system);
  if (Array.isArray(configuration)) return unusable(null, configuration, json, world);
  const host = configuration.mail.HOSTNAME;
  const inTheWay = [
    ...missingTls(configuration),
    ...await tryCertificate(configuration),
    ...await tryDirectories(configuration),
  ];
  const ports = await tryPorts(configuration);
  const problems = [...inTheWay, ...ports.problems];
  if (problems.length > 0) return unusable(host, problems, json, world);

  const { nameServers } = await readReach(configuration);
  const { clock, patience } = world;
  const options = patience === undefined ? {} : { patience };
  const surroundings: Surroundings = {
    ...world,
    addresses: world.system.addresses(),
    lookup: new DnsLookup({ nameServers, clock, ...options }),
  };
  const found: Finding[] = [];
  for await (const finding of findings(configuration, ports, surroundings, connect)) {
    found.push(finding);
    if (!json) findingLines(finding).forEach((line) => world.say(line));
  }
  world.say(
    json ? jsonText({ version: VERSION, host, findings: found, problems: [] }) : summary(found),
  );
  return found.some(({ state }) => state === "wrong") ? Exit.Failed : Exit.Good;
}

async function tryDirectories(configuration: Configuration): Promise<Problem[]> {
  const disk = new SystemDisk();
  const problems = [
    ...await tryMailboxes(configuration, disk),
    ...await trySpool(configuration, disk),
  ];
  // Where they cannot be used, neither can links to them be followed.
  return problems.length > 0 ? problems : await misplaced(await withRealPaths(configuration));
}

async function readOrProblems(
  mailFile: string,
  userFile: string,
  system: SystemFacts,
): Promise<Configuration | Problem[]> {
  try {
    return await readConfiguration(mailFile, userFile, system);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [...error.problems];
  }
}

/** The daemon would not start. */
function unusable(
  host: string | null,
  problems: readonly Problem[],
  json: boolean,
  { say, complain }: CheckWorld,
): Exit {
  if (json) say(jsonText({ version: VERSION, host, findings: [], problems }));
  else problems.forEach((problem) => complain(problemText(problem)));
  return Exit.Misused;
}
