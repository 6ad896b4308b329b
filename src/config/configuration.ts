/** Both files together, checked against each other. */

import type { ClientLogin } from "../smtp/client_login.ts";
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
import { exposedSecrets, sharedPlaces } from "./places.ts";
import { ConfigurationError, type Problem, problemAt, ValueError } from "./problem.ts";
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
    ...exposedSecrets(configuration),
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
    // Who wrote the login there in place of a file's name does not want to see it again.
    const which = path.includes(":") ? "the file that it names" : path;
    problems.push(problemAt(configuration, "RELAY_LOGIN_FILE", `${which}: ${error.message}`));
    return undefined;
  }
}

/** The address book of a configuration: own name, further domains, own addresses (RFC 5321 4.1.3). */
export function addressBook({ mail, users, ownAddresses }: Configuration): AddressBook {
  const literals = ownAddresses.map((address) => addressLiteral(parseIp(address)!));
  return new AddressBook([...new Set([mail.HOSTNAME, ...mail.LOCAL_DOMAINS, ...literals])], users);
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
