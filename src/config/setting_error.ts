/** A value of mail.conf that only shows in use to be unusable: a port taken, a certificate broken. */

import type { VariableName } from "./mail_conf.ts";

/** The message says why and what would help; `setting` is the one to change. */
export class SettingError extends Error {
  override name = "SettingError";

  constructor(message: string, readonly setting: VariableName) {
    super(message);
  }
}
