/**
 * Stands in for `src/relay/sts_fetch.ts` in a process under test: every domain that says that it has
 * a policy has this one, which demands nothing, and it takes no certificate and no port of root's.
 */

export * from "../../../src/relay/sts_fetch.ts";

export function fetchStsPolicy(domain: string): Promise<string> {
  return Promise.resolve(`version: STSv1\nmode: testing\nmx: *.${domain}\nmax_age: 86400\n`);
}
