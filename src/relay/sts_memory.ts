/**
 * Policies over restarts: `policies.json` in SPOOL_DIR. Whoever can keep a policy from being fetched
 * must not get rid of it by waiting for the next start (RFC 8461 10.2). Losing the file costs that
 * protection and no mail, so no trouble with it is more than a line in the log.
 */

import type { Log } from "../log.ts";
import type { Spool } from "../queue/spool.ts";
import { isDomainName } from "../smtp/address.ts";
import {
  isStsId,
  parseStsPolicy,
  printStsPolicy,
  type StsPolicy,
  StsPolicyError,
} from "./sts_policy.ts";

/** A policy and what is known of it. */
export interface HeldPolicy {
  /** In the domain's record when it was fetched. */
  readonly id: string;
  readonly policy: StsPolicy;
  /** Milliseconds since 1970. */
  readonly fetched: number;
}

/** By domain name, in lower case. */
export type HeldPolicies = ReadonlyMap<string, HeldPolicy>;

export interface StsMemory {
  /** What was kept last; some of it may not hold any more. Never rejects. */
  recall(): Promise<HeldPolicies>;
  /** Keeps these, which change no more, and forgets all others. Returns at once, and never throws. */
  keep(policies: HeldPolicies): void;
}

/** The form below; another one gets another number. */
const FORM = 1;

const NAME = "policies.json";

/** Policies in the file, and characters of one: the longest that can be parsed has room. */
const MAX_POLICIES = 1000;
const MAX_LINE = 32 * 1024;
/** Characters, which are octets, of the whole file. */
const MAX_FILE = 8 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The file is not as it was written. The message says what is wrong. */
class DamagedError extends Error {}

/** What became of some policies on their way into the file or out of it. */
interface Sifted<T> {
  readonly whole: T;
  /** What is wrong with those that were left out. */
  readonly trouble?: Error;
}

export class SpooledStsMemory implements StsMemory {
  readonly #spool: Spool;
  readonly #log: Pick<Log, "warn">;
  /** What is to be written when what is being written is done. */
  #next: HeldPolicies | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;
  /** Whether the disk has kept back a file that may be good: it is not written over. */
  #unread = false;
  /** What came out of it too late to be recalled, and is not replaced yet. */
  readonly #late = new Map<string, HeldPolicy>();

  /** Nobody else may write under this owner's name in the spool. */
  constructor(spool: Spool, log: Pick<Log, "warn">) {
    this.#spool = spool;
    this.#log = log;
  }

  async recall(): Promise<HeldPolicies> {
    try {
      return await this.#read();
    } catch (error) {
      this.#unread = true;
      this.#tell("policies not read", error);
      return new Map();
    }
  }

  keep(policies: HeldPolicies): void {
    this.#next = policies;
    this.#writing ??= this.#write();
  }

  /** Returns when nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  /** Of all that is to be kept while a write lasts only the last is written. */
  async #write(): Promise<void> {
    for (let policies = this.#next; policies; policies = this.#next) {
      this.#next = undefined;
      const trouble = await this.#keepNow(policies).catch((error: unknown) => error);
      // Once for as long as it lasts.
      if (trouble !== undefined && !this.#failing) this.#tell("policies not kept", trouble);
      this.#failing = trouble !== undefined;
    }
    this.#writing = undefined;
  }

  /** Why some of them were left out; rejects where none is kept. */
  async #keepNow(policies: HeldPolicies): Promise<Error | undefined> {
    if (this.#unread) {
      for (const [domain, held] of await this.#read()) this.#late.set(domain, held);
      this.#unread = false;
    }
    for (const domain of policies.keys()) this.#late.delete(domain);
    const { whole, trouble } = encode([...this.#late, ...policies]);
    await this.#replace(whole);
    return trouble;
  }

  /** What is in the file, as far as it can be used. Rejects only with the disk's error. */
  async #read(): Promise<HeldPolicies> {
    let bytes;
    try {
      bytes = await this.#spool.disk.read(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Map();
      throw error;
    }
    try {
      const { whole, trouble } = decode(bytes);
      if (trouble) this.#tell("policies not read", trouble);
      return whole;
    } catch (error) {
      this.#tell("policies not read", error);
      return new Map();
    }
  }

  /** At every moment the old file or the new one is there, whole. */
  async #replace(content: Uint8Array): Promise<void> {
    const { disk, directory } = this.#spool;
    const temporary = this.#spool.temporaryPath(NAME);
    try {
      await this.#spool.stage(temporary, content);
      await disk.rename(temporary, this.#path);
    } catch (error) {
      await disk.remove(temporary).catch(() => {});
      throw error;
    }
    await disk.syncDirectory(directory);
  }

  get #path(): string {
    return `${this.#spool.directory}/${NAME}`;
  }

  #tell(event: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#log.warn(event, { file: this.#path, error: text });
  }
}

/** JSON with a line for each domain; the latest, where they are too many. */
function encode(policies: readonly (readonly [string, HeldPolicy])[]): Sifted<Uint8Array> {
  const lines: string[] = [];
  let left = MAX_FILE;
  for (const [domain, { id, fetched, policy }] of policies.slice(-MAX_POLICIES).reverse()) {
    const line = JSON.stringify({ domain, id, fetched, policy: printStsPolicy(policy) });
    if (line.length > MAX_LINE) continue;
    left -= line.length + ",\n".length;
    if (left < 0) break;
    lines.push(line);
  }
  const content = `{"form":${FORM},"policies":[\n${lines.reverse().join(",\n")}\n]}\n`;
  const others = policies.length - lines.length;
  return {
    whole: encoder.encode(content),
    ...others > 0 ? { trouble: new Error(`no room for ${others} of ${policies.length}`) } : {},
  };
}

/** Throws DamagedError and whatever reading JSON does. */
function decode(bytes: Uint8Array): Sifted<HeldPolicies> {
  const { form, policies } = object(JSON.parse(decoder.decode(bytes)));
  if (form !== FORM) throw new DamagedError("the file has an unknown form");
  if (!Array.isArray(policies)) throw new DamagedError("the file holds no list");
  const whole = new Map<string, HeldPolicy>();
  const wrongs: string[] = [];
  for (const entry of policies.slice(-MAX_POLICIES)) {
    try {
      const [domain, held] = decodeEntry(object(entry));
      whole.set(domain, held);
    } catch (error) {
      if (!(error instanceof DamagedError || error instanceof StsPolicyError)) throw error;
      wrongs.push(error.message);
    }
  }
  const [first] = wrongs;
  if (first === undefined) return { whole };
  const text = `${wrongs.length} of ${policies.length} entries left out: ${first}`;
  return { whole, trouble: new DamagedError(text) };
}

/** Throws DamagedError and StsPolicyError. */
function decodeEntry(
  { domain, id, fetched, policy }: Record<string, unknown>,
): [string, HeldPolicy] {
  if (typeof domain !== "string" || !isDomainName(domain)) throw wrong("domain");
  if (typeof id !== "string" || !isStsId(id)) throw wrong("id");
  // JSON has numbers that are too large for one.
  if (typeof fetched !== "number" || !(fetched >= 0 && fetched < Infinity)) throw wrong("fetched");
  if (typeof policy !== "string") throw wrong("policy");
  // And a zero with a sign.
  return [domain.toLowerCase(), { id, fetched: Math.abs(fetched), policy: parseStsPolicy(policy) }];
}

function wrong(what: string): DamagedError {
  return new DamagedError(`an entry has no usable ${what}`);
}

function object(json: unknown): Record<string, unknown> {
  if (typeof json === "object" && json !== null) return json as Record<string, unknown>;
  throw new DamagedError("something else stands in its place");
}
