/** Whether a domain's SPF record lets mail in its name leave from this machine (RFC 7208). */

import type { Facts } from "./facts.ts";
import { checkHost, spfRecords, type SpfResult } from "./check_host.ts";
import { type Finding, good, join, unknown, wrong } from "./finding.ts";
import { txtRecord } from "./record.ts";
import { mended } from "./spf_mend.ts";

/** `addresses` are those that mail leaves from, one at least. Rejects with ResolverError. */
export async function checkSpf(
  domain: string,
  addresses: readonly string[],
  { lookup }: Pick<Facts, "lookup">,
): Promise<Finding> {
  const about = `SPF of ${domain}`;
  const records = await spfRecords(domain, lookup);
  const should = `one SPF record that admits ${join(addresses)}`;
  const mend = (refused: readonly string[]) => [txtRecord(domain, mended(records, refused))];
  if (records.length === 0) {
    return wrong(about, `${domain} has no SPF record`, should, mend(addresses));
  }
  const is = join(records.map((record) => `"${record}"`));
  const results: [address: string, result: SpfResult][] = [];
  for (const address of addresses) {
    results.push([address, await checkHost(address, domain, lookup)]);
  }
  const refused = results.filter(([, { result }]) => result !== "pass" && result !== "cannot tell");
  if (refused.length > 0) {
    const why = new Set(refused.map(([address, result]) => refusal(address, result)));
    const words = `${is} ${join([...why])}`;
    return wrong(about, words, should, mend(refused.map(([address]) => address)));
  }
  const doubt = results.flatMap(([, result]) => result.result === "cannot tell" ? result.why : []);
  if (doubt.length > 0) return unknown(about, `${is}: ${doubt[0]}`);
  return good(about, `${is} admits ${join(addresses)}`);
}

function refusal(address: string, result: SpfResult): string {
  if ("by" in result) return `does not admit ${address} (${result.result} by ${result.by})`;
  return "why" in result ? `is an error: ${result.why}` : "is none";
}
