/** Whether a domain says what becomes of mail that only pretends to be its own (DMARC). */

import type { Facts } from "./facts.ts";
import { type Finding, good, note } from "./finding.ts";
import { txtRecord } from "./record.ts";

/** A domain without a record goes by that of a domain above it. Rejects with ResolverError. */
export async function checkDmarc(
  domain: string,
  { lookup }: Pick<Facts, "lookup">,
): Promise<Finding> {
  const about = `DMARC of ${domain}`;
  const labels = domain.split(".");
  // The last label alone is nobody's own domain.
  for (let at = 0; at < labels.length - 1; at++) {
    const name = `_dmarc.${labels.slice(at).join(".")}`;
    const answer = await lookup.txt(name);
    const record = answer.kind === "records" && answer.records.find(isDmarc);
    if (record) return good(about, `"${record}"${at > 0 ? ` of ${name}` : ""}`);
  }
  return note(about, "there is no DMARC record, which large receivers ask for", [
    txtRecord(`_dmarc.${domain}`, "v=DMARC1; p=none"),
  ]);
}

function isDmarc(text: string): boolean {
  return /^v=DMARC1\s*(?:;|$)/i.test(text);
}
