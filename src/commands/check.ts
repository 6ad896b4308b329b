/** `denosmtpd check MAIL_CONF USER_CONF`: what is wrong with a configuration, before it serves. */

import { mailboxDirectories, readConfiguration } from "../config/configuration.ts";
import { withoutEffect } from "../config/mail_conf.ts";
import { ConfigurationError, problemText } from "../config/problem.ts";
import { tryListening, tryMailboxes } from "../daemon/preflight.ts";
import { system } from "../daemon/system.ts";
import { SystemDisk } from "../disk.ts";
import { hostPort, listenAddresses } from "../receiver/listener.ts";
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
    ...tryListening(configuration),
  ];
  for (const name of withoutEffect(configuration.lines.keys())) {
    say(`note: ${name} is set, but nothing in this version uses it`);
  }
  problems.map(problemText).forEach(complain);
  if (problems.length > 0) return Exit.Misused;
  const addresses = listenAddresses(mail).map((address) => hostPort(address, mail.LISTEN_PORT));
  say(`${mail.HOSTNAME} can listen on ${addresses.join(", ")}`);
  say(`${users.length} users, ${mailboxDirectories(configuration).length} mailbox directories`);
  say("good");
  return Exit.Good;
}
