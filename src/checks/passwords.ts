/** Whether those who shall log in can, and nobody else gets at their passwords' hashes. */

import type { Configuration } from "../config/configuration.ts";
import { closeToOthers, hasPasswords, readableByOthers } from "../config/secrecy.ts";
import { type Finding, good, note, wrong } from "./finding.ts";

const ABOUT = "passwords";

/** Nothing where neither passwords nor ports for logins are set. */
export async function checkPasswords({ mail, users, files }: Configuration): Promise<Finding[]> {
  const port = (["SUBMISSIONS_PORT", "SUBMISSION_PORT"] as const)
    .find((name) => mail[name] !== undefined);
  if (!hasPasswords(users)) {
    return port === undefined ? [] : [
      note(ABOUT, `${port} is set, but no user has one: denosmtpd passwd makes the third field`),
    ];
  }
  const some = users.filter(({ hash }) => hash !== undefined).length;
  const findings = await readableByOthers(files.users)
    ? [wrong(
      ABOUT,
      `every user of the system can read the hashes in ${files.users}`,
      "read by the server's user alone",
      [closeToOthers(files.users)],
    )]
    : [good(ABOUT, `${some} of ${users.length} users can log in, others cannot read the hashes`)];
  if (port === undefined) {
    findings.push(
      note(ABOUT, "users have some, but neither SUBMISSIONS_PORT nor SUBMISSION_PORT takes logins"),
    );
  }
  return findings;
}
