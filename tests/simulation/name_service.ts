/** A name service that is a table, and that may fail. */

import {
  type Answer,
  type MxRecord,
  type Resolver,
  ResolverError,
} from "../../src/relay/resolver.ts";

/** What is known of a name. What is missing is no data. */
export interface Known {
  /** `10 mx.example`; `0 .` is the null MX. */
  readonly mx?: readonly string[];
  readonly at?: readonly string[];
}

/** What a question about a name meets instead of its answer. */
export type NameFault = "trouble" | "no such domain" | "silence";

export class NameService implements Resolver {
  /** A name that is not here does not exist. */
  readonly names = new Map<string, Known>();
  /** Every question, `MX a.example` or `A mx.a.example`. */
  readonly asked: string[] = [];
  /** Asked before each answer. */
  fault: (name: string) => NameFault | undefined = () => undefined;
  /** Told of each name that is said not to exist. */
  denied: (name: string) => void = () => {};

  mx(name: string): Promise<Answer<MxRecord>> {
    this.asked.push(`MX ${name}`);
    return this.#answer(name, ({ mx }) =>
      mx?.map((record) => {
        const [preference = "", exchange = ""] = record.split(" ");
        return { preference: Number(preference), exchange: exchange.replace(/\.$/, "") };
      }));
  }

  addresses(name: string): Promise<Answer<string>> {
    this.asked.push(`A ${name}`);
    return this.#answer(name, ({ at }) => at);
  }

  async #answer<T>(
    name: string,
    pick: (known: Known) => readonly T[] | undefined,
  ): Promise<Answer<T>> {
    await Promise.resolve();
    const fault = this.fault(name);
    if (fault === "silence") await new Promise(() => {});
    if (fault === "trouble") throw new ResolverError(`trouble with ${name}`);
    const known = this.names.get(name);
    if (!known || fault) {
      this.denied(name);
      return { kind: "no such domain" };
    }
    const records = pick(known);
    return records ? { kind: "records", records } : { kind: "no data" };
  }
}
