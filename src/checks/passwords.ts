/** Whether those who shall log in can, and nobody else gets at their passwords' hashes. */

import type { Configuration } from "../config/configuration.ts";
import { unequalHashes } from "../config/password.ts";
import { closeToOthers, hasPasswords, readableByOthers } from "../config/secrecy.ts";
import { loginVariable } from "../config/service.ts";
import { type Finding, good, join, note, wrong } from "./finding.ts";

const ABOUT = "passwords";

/** Nothing where neither passwords nor ports for logins are set. */
export async function checkPasswords({ mail, users, files }: Configuration): Promise<Finding[]> {
  const port = loginVariable(mail);
  if (!hasPasswords(users)) {
    return port === undefined ? [] : [
      note(ABOUT, `${port} is set, but no user has one: denosmtpd passwd makes the third field`),
    ];
  }
  const hashes = users.flatMap(({ hash }) => hash ?? []);
  const findings = await readableByOthers(files.users)
    ? [wrong(
      ABOUT,
      `every user of the system can read the hashes in ${files.users}`,
      "read by the server's user alone",
      [closeToOthers(files.users)],
    )]
    : [
      good(
        ABOUT,
        `${hashes.length} of ${users.length} users can log in, others cannot read the hashes`,
      ),
    ];
  const unequal = new Set(unequalHashes(hashes));
  if (unequal.size > 0) {
    const names = users.filter(({ hash }) => hash !== undefined && unequal.has(hash))
      .map(({ name }) => name);
    const is =
      "the hashes differ in cost, so the time that a login takes tells who has one; make " +
      `anew by denosmtpd passwd: ${join(names)}`;
    findings.push(note(ABOUT, is));
  }
  if (port === undefined) {
    findings.push(
      note(ABOUT, "users have some, but neither SUBMISSIONS_PORT nor SUBMISSION_PORT takes logins"),
    );
  }
  return findings;
}
