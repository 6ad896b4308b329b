/** What is no reason not to serve, but to be told in the log at each start and reload. */

import type { Configuration } from "../config/configuration.ts";
import { closeToOthers, hasPasswords, readableByOthers } from "../config/secrecy.ts";
import { loginVariable } from "../config/service.ts";
import type { Fields } from "../log.ts";
import { whyNoPolicies, whyNoStartTls } from "./tls.ts";

/** An event of the log with its fields. */
export interface Warning {
  readonly event: string;
  readonly fields: Fields;
}

/** All that there are, in the order to tell them in. */
export async function warningsOf(configuration: Configuration): Promise<Warning[]> {
  const { mail, users, files } = configuration;
  const passwords = hasPasswords(users);
  const setting = loginVariable(mail);
  return [
    ...withReason("STARTTLS not offered", whyNoStartTls(configuration)),
    ...withReason("policies not followed", whyNoPolicies(configuration)),
    ...setting !== undefined && !passwords
      ? [{ event: "nobody can log in", fields: { setting, mend: "denosmtpd passwd" } }]
      : [],
    ...await whereOpen("passwords readable by others", passwords ? files.users : undefined),
    ...await whereOpen("key readable by others", mail.TLS_KEY),
  ];
}

function withReason(event: string, reason: string | undefined): Warning[] {
  return reason === undefined ? [] : [{ event, fields: { reason } }];
}

async function whereOpen(event: string, file: string | undefined): Promise<Warning[]> {
  if (file === undefined || !await readableByOthers(file)) return [];
  return [{ event, fields: { file, mend: closeToOthers(file) } }];
}
