/** Both files together, checked against each other. */

import { resolve } from "node:path";
import type { ClientLogin } from "../smtp/introduction.ts";
import { addressLiteral, parseIp } from "../smtp/ip.ts";
import { AddressBook, ForwardError } from "./address_book.ts";
import { findFile, unreadable } from "./file.ts";
import {
  listenedOn,
  type MailConf,
  readMailConf,
  type SystemFacts,
  type VariableName,
} from "./mail_conf.ts";
import { ConfigurationError, type Problem, ValueError } from "./problem.ts";
import { readRelayLogin } from "./relay_login.ts";
import { readUserConf, type User } from "./user_conf.ts";

/** All that the daemon is told. Plain data: it can be sent to a worker. */
export interface Configuration {
  readonly mail: MailConf;
  readonly users: readonly User[];
  readonly files: { readonly mail: string; readonly users: string };
  /** The machine's addresses among those listened on, in canonical form. */
  readonly ownAddresses: readonly string[];
  /** Of RELAY_LOGIN_FILE. Nobody but the relay needs to know. */
  readonly relayLogin?: ClientLogin;
  /** The line of mail.conf where each variable stands, for messages about it. */
  readonly lines: ReadonlyMap<VariableName, number>;
}

/**
 * Reads both files. Throws ConfigurationError with what is wrong in either, or, once each is right
 * for itself, between them.
 */
export async function readConfiguration(
  mailFile: string,
  userFile: string,
  system: SystemFacts,
): Promise<Configuration> {
  const [mail, users] = await Promise.allSettled([
    readMailConf(mailFile, system),
    readUserConf(userFile),
  ]);
  const problems: Problem[] = [];
  for (const outcome of [mail, users]) {
    if (outcome.status === "fulfilled") continue;
    if (!(outcome.reason instanceof ConfigurationError)) throw outcome.reason;
    problems.push(...outcome.reason.problems);
  }
  if (mail.status === "rejected" || users.status === "rejected") {
    throw new ConfigurationError(problems);
  }
  const configuration: Configuration = {
    mail: mail.value.conf,
    users: users.value,
    files: { mail: mailFile, users: userFile },
    ownAddresses: listenedOn(mail.value.conf.LISTEN_ADDR, system.addresses()),
    lines: mail.value.lines,
  };
  problems.push(...await missingFiles(configuration));
  const relayLogin = await loginOf(configuration, problems);
  problems.push(
    ...sharedPlaces(configuration),
    ...keyInSpool(configuration),
    ...badForwards(configuration),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { ...configuration, ...relayLogin ? { relayLogin } : {} };
}

/** What RELAY_LOGIN_FILE holds; what is wrong with it is one problem more. */
async function loginOf(
  configuration: Configuration,
  problems: Problem[],
): Promise<ClientLogin | undefined> {
  const path = configuration.mail.RELAY_LOGIN_FILE;
  if (path === undefined) return undefined;
  try {
    return await readRelayLogin(path);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    problems.push(problemAt(configuration, "RELAY_LOGIN_FILE", `${path}: ${error.message}`));
    return undefined;
  }
}

/** The address book of a configuration: own name, further domains, own addresses (RFC 5321 4.1.3). */
export function addressBook({ mail, users, ownAddresses }: Configuration): AddressBook {
  const literals = ownAddresses.map((address) => addressLiteral(parseIp(address)!));
  return new AddressBook([...new Set([mail.HOSTNAME, ...mail.LOCAL_DOMAINS, ...literals])], users);
}

/** Every directory that mail can end in, each once. */
export function mailboxDirectories({ users }: Configuration): string[] {
  const directories = users.flatMap(({ target }) =>
    "directory" in target ? [target.directory] : []
  );
  return [...new Set(directories)];
}

/**
 * A queue and a mailbox in one place would take each other's files for their own, and who may see the
 * queue must not see a mailbox by that.
 */
export function sharedPlaces(configuration: Configuration): Problem[] {
  const spool = resolve(configuration.mail.SPOOL_DIR);
  return mailboxDirectories(configuration)
    .filter((directory) => {
      const mailbox = resolve(directory);
      const parts = ["tmp", "new", "cur"].map((part) => resolve(mailbox, part));
      return isWithin(mailbox, spool) || parts.some((part) => isWithin(spool, part));
    })
    .map((directory) => {
      const message = `the queue in ${spool} and the mailbox ${directory} need places apart`;
      return problemAt(configuration, "SPOOL_DIR", message);
    });
}

/** The relay may read all of the spool, and must not read the key. */
function keyInSpool(configuration: Configuration): Problem[] {
  const { TLS_KEY, SPOOL_DIR } = configuration.mail;
  if (TLS_KEY === undefined || !isWithin(resolve(TLS_KEY), resolve(SPOOL_DIR))) return [];
  return [problemAt(configuration, "TLS_KEY", `needs a place outside of SPOOL_DIR ${SPOOL_DIR}`)];
}

/** Both are whole paths. */
function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** Files that are the receiver's to read: here a key is not even opened. */
async function missingFiles(configuration: Configuration): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const name of ["TLS_CERT", "TLS_KEY"] as const) {
    const path = configuration.mail[name];
    if (path === undefined) continue;
    try {
      await findFile(path);
    } catch (error) {
      problems.push(problemAt(configuration, name, `${path}: ${unreadable(error)}`));
    }
  }
  return problems;
}

/** A problem with a variable of mail.conf. */
export function problemAt(
  { files, lines }: Configuration,
  name: VariableName,
  message: string,
): Problem {
  return { file: files.mail, line: lines.get(name), message: `${name}: ${message}` };
}

/** Forwards that cannot work, and what was most likely meant as one. */
function badForwards(configuration: Configuration): Problem[] {
  const book = addressBook(configuration);
  const file = configuration.files.users;
  const problems: Problem[] = [];
  for (const user of configuration.users) {
    const alias = looksLikeAlias(configuration, user);
    if (alias) problems.push({ file, line: user.line, message: `${user.name}: ${alias}` });
    try {
      book.endsOf(user);
    } catch (error) {
      if (!(error instanceof ForwardError)) throw error;
      problems.push({ file, line: user.line, message: `${user.name}: ${error.message}` });
    }
  }
  return problems;
}

/** A directory that is called like another user is most likely meant as that user. */
function looksLikeAlias(
  { mail, users }: Configuration,
  { name, target }: User,
): string | undefined {
  if (!("directory" in target)) return undefined;
  const { directory } = target;
  const same = (other: string) => other.toLowerCase() === directory.toLowerCase();
  const meant = users.find((other) => other.name !== name && same(other.name));
  return meant &&
    `"${directory}" is a user: write ${meant.name}@${mail.HOSTNAME} to forward, ./${directory} for a directory`;
}
