/** What a configuration means that its writer might not have meant, and where its mail goes. */

import { resolve } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import type { User } from "../config/user_conf.ts";
import { printMailbox } from "../smtp/address.ts";
import { isPublicName, onlyLoopback } from "./facts.ts";
import { type Finding, note } from "./finding.ts";

/** What is no fault, but most likely not what was meant. */
export function settingNotes({ mail }: Configuration): Finding[] {
  const unqualified = !isPublicName(mail.HOSTNAME) && !mail.HOSTNAME.startsWith("[");
  return [
    ...mail.RELAY_FROM.some(({ bits }) => bits === 0)
      ? [note("RELAY_FROM", "it lets everybody send to everybody through this server")]
      : [],
    // Where others connect to it, that is a fault, and found as one.
    ...unqualified && onlyLoopback(mail)
      ? [note("HOSTNAME", `it is ${mail.HOSTNAME}, which other hosts cannot look up`)]
      : [],
  ];
}

/** Where each user's mail goes. */
export function userNotes({ users }: Configuration): Finding[] {
  return users.map((user) => note(user.name, whereTo(user)));
}

function whereTo({ target }: User): string {
  return "directory" in target
    ? resolve(target.directory)
    : `forwards to ${target.forwards.map(printMailbox).join(", ")}`;
}
