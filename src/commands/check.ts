/** `denosmtpd check MAIL_CONF USER_CONF`: what is wrong with a configuration, before it serves. */

import { resolve } from "node:path";
import { type Configuration, readConfiguration } from "../config/configuration.ts";
import { withoutEffect } from "../config/mail_conf.ts";
import { ConfigurationError, problemText } from "../config/problem.ts";
import type { User } from "../config/user_conf.ts";
import { tryMailboxes } from "../daemon/mailboxes.ts";
import { tryListening } from "../daemon/ports.ts";
import { trySpool } from "../daemon/spool.ts";
import { system } from "../daemon/system.ts";
import { SystemDisk } from "../disk.ts";
import { listenAddresses, printHostPort } from "../receiver/listener.ts";
import { printMailbox } from "../smtp/address.ts";
import { complain, Exit, say } from "./terminal.ts";

/** Says everything that would keep the daemon from serving, or that nothing does. */
export async function check(mailFile: string, userFile: string): Promise<Exit> {
  let configuration;
  try {
    configuration = await readConfiguration(mailFile, userFile, system);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    error.problems.map(problemText).forEach(complain);
    return Exit.Misused;
  }
  const { mail, users } = configuration;
  const problems = [
    ...await tryMailboxes(configuration, new SystemDisk()),
    ...await trySpool(configuration, new SystemDisk()),
    ...tryListening(configuration),
  ];
  notes(configuration).forEach((note) => say(`note: ${note}`));
  problems.map(problemText).forEach(complain);
  if (problems.length > 0) return Exit.Misused;
  const addresses = listenAddresses(mail).map((address) => {
    return printHostPort(address, mail.LISTEN_PORT);
  });
  say(`${mail.HOSTNAME} can listen on ${addresses.join(", ")}`);
  users.forEach((user) => say(`${user.name}: ${whereTo(user)}`));
  say("good");
  return Exit.Good;
}

/** What is no fault, but most likely not what was meant. */
function notes({ mail, lines }: Configuration): string[] {
  const unused = withoutEffect(lines.keys());
  const unqualified = !/[.[]/.test(mail.HOSTNAME);
  return [
    ...unused.map((name) => `${name} is set, but nothing in this version uses it`),
    ...mail.RELAY_FROM.some(({ bits }) => bits === 0)
      ? ["RELAY_FROM lets everybody send to everybody through this server"]
      : [],
    ...unqualified ? [`HOSTNAME is ${mail.HOSTNAME}, which other hosts cannot look up`] : [],
  ];
}

function whereTo({ target }: User): string {
  return "directory" in target
    ? resolve(target.directory)
    : `forwards to ${target.forwards.map(printMailbox).join(", ")}`;
}
