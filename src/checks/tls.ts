/** Whether what comes in can be protected, as far as the settings tell. */

import type { Configuration } from "../config/configuration.ts";
import { whyNoStartTls } from "../daemon/tls.ts";
import { onlyLoopback } from "./facts.ts";
import { type Finding, note, wrong } from "./finding.ts";

const ABOUT = "STARTTLS";

/** Nothing where it is offered; the certificate is looked at apart. */
export function checkStartTls(configuration: Configuration): Finding[] {
  const { mail } = configuration;
  const reason = whyNoStartTls(configuration);
  if (reason !== undefined) {
    return [wrong(ABOUT, `not offered: ${reason}`, "an executable made with a newer Deno")];
  }
  if (mail.TLS_CERT !== undefined || onlyLoopback(mail)) return [];
  return [note(ABOUT, "not offered without TLS_CERT and TLS_KEY: mail comes in plain text")];
}
