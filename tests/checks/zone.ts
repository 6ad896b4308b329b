/** A made-up DNS and machine for checks. */

import assert from "node:assert/strict";
import type { Facts } from "../../src/checks/facts.ts";
import type { Finding } from "../../src/checks/finding.ts";
import type { Lookup } from "../../src/checks/lookup.ts";
import { Machine } from "../../src/checks/machine.ts";
import type { Answer } from "../../src/relay/dns.ts";
import { type MxRecord, ResolverError } from "../../src/relay/resolver.ts";

type Records<T> = readonly T[] | "trouble";

/** What is known of a name (of an address: PTR). What is missing there is no data. */
interface Known {
  readonly A?: Records<string>;
  readonly AAAA?: Records<string>;
  readonly MX?: Records<readonly [preference: number, exchange: string]>;
  readonly TXT?: Records<string>;
  readonly PTR?: Records<string>;
  readonly CNAME?: string;
}

/** A name that is not there does not exist. */
export type Zone = Readonly<Record<string, Known>>;

/** Answers by the zone and counts what it is asked. */
export class ZoneLookup implements Lookup {
  asked = 0;
  constructor(readonly zone: Zone) {}

  mx(name: string): Promise<Answer<MxRecord>> {
    return this.#answer(name, ({ MX }) => {
      return typeof MX === "string"
        ? MX
        : MX?.map(([preference, exchange]) => ({ preference, exchange }));
    });
  }

  addresses(name: string, type: "A" | "AAAA"): Promise<Answer<string>> {
    return this.#answer(name, (known) => known[type]);
  }

  ptr(address: string): Promise<Answer<string>> {
    return this.#answer(address, ({ PTR }) => PTR);
  }

  txt(name: string): Promise<Answer<string>> {
    return this.#answer(name, ({ TXT }) => TXT);
  }

  alias(name: string): Promise<string | undefined> {
    this.asked++;
    return Promise.resolve(this.zone[name]?.CNAME);
  }

  #answer<T>(name: string, pick: (known: Known) => Records<T> | undefined): Promise<Answer<T>> {
    this.asked++;
    const known = this.zone[name];
    if (known === undefined) return Promise.resolve({ kind: "no such domain" });
    const records = pick(known.CNAME === undefined ? known : this.zone[known.CNAME] ?? {});
    if (records === "trouble") return Promise.reject(new ResolverError(`trouble with ${name}`));
    return Promise.resolve(records ? { kind: "records", records } : { kind: "no data" });
  }
}

export interface WorldOptions {
  readonly zone?: Zone;
  readonly hostname?: string;
  readonly domains?: readonly string[];
  /** The machine's addresses. */
  readonly addresses?: readonly string[];
  /** Those listened on; all of them where nothing is said. */
  readonly listening?: readonly string[];
  readonly listen?: readonly string[];
  readonly relayTls?: Facts["mail"]["RELAY_TLS"];
  readonly relayHost?: { readonly host: string; readonly port: number | undefined };
}

/** mail.example.com at 192.0.2.1, serving example.com, with options. */
export function factsOf(options: WorldOptions = {}): Facts {
  const addresses = options.addresses ?? ["127.0.0.1", "192.0.2.1"];
  return {
    mail: {
      HOSTNAME: options.hostname ?? "mail.example.com",
      LOCAL_DOMAINS: [...options.domains ?? ["example.com"]],
      LISTEN_ADDR: [...options.listen ?? ["0.0.0.0"]],
      RELAY_HOST: options.relayHost,
      RELAY_PORT: 25,
      RELAY_TLS: options.relayTls ?? "may",
      RELAY_TLS_FOR: [],
    },
    machine: new Machine(addresses, options.listening ?? addresses),
    lookup: new ZoneLookup(options.zone ?? {}),
  };
}

/** The machine behind address translation. */
export const NAT: WorldOptions = { addresses: ["127.0.0.1", "10.0.0.5", "fe80::1"] };

/** What a finding must be; without `mend` it must have none. */
export interface Expected {
  readonly state: Finding["state"];
  readonly is: RegExp;
  readonly mend?: readonly string[];
}

export function expectFinding(finding: Finding, { state, is, mend }: Expected): void {
  assert.equal(finding.state, state, finding.is);
  assert.match(finding.is, is);
  assert.deepEqual(finding.mend, mend);
  assert.equal(finding.should !== undefined, state === "wrong");
}
