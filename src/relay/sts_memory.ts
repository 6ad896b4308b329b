/**
 * Policies over restarts: `policies.json` in SPOOL_DIR. Whoever can keep a policy from being fetched
 * must not get rid of it by waiting for the next start (RFC 8461 10.2). Losing the file costs that
 * protection and no mail, so no trouble with it is more than a line in the log.
 */

import type { Log } from "../log.ts";
import type { Spool } from "../queue/spool.ts";
import { isDomainName } from "../smtp/address.ts";
import { isStsId, parseStsPolicy, printStsPolicy, type StsPolicy } from "./sts_policy.ts";

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

/** Policies in the file, and characters of one: some hundred hosts. */
const MAX_POLICIES = 1000;
const MAX_LINE = 4096;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The file is not as it was written. The message says what is wrong. */
class DamagedError extends Error {}

export class SpooledStsMemory implements StsMemory {
  readonly #spool: Spool;
  readonly #log: Pick<Log, "warn">;
  /** What is to be written when what is being written is done. */
  #next: HeldPolicies | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;

  /** Nobody else may write under this owner's name in the spool. */
  constructor(spool: Spool, log: Pick<Log, "warn">) {
    this.#spool = spool;
    this.#log = log;
  }

  async recall(): Promise<HeldPolicies> {
    try {
      return decode(await this.#spool.disk.read(this.#path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) this.#tell("policies not read", error);
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
      try {
        await this.#replace(encode(policies));
        this.#failing = false;
      } catch (error) {
        // Once for as long as it lasts.
        if (!this.#failing) this.#tell("policies not kept", error);
        this.#failing = true;
      }
    }
    this.#writing = undefined;
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
function encode(policies: HeldPolicies): Uint8Array {
  const lines = [...policies].map(([domain, { id, fetched, policy }]) => {
    return JSON.stringify({ domain, id, fetched, policy: printStsPolicy(policy) });
  }).filter((line) => line.length <= MAX_LINE);
  const kept = lines.slice(-MAX_POLICIES).join(",\n");
  return encoder.encode(`{"form":${FORM},"policies":[\n${kept}\n]}\n`);
}

/** Throws DamagedError and whatever reading JSON and a policy does. */
function decode(bytes: Uint8Array): HeldPolicies {
  const { form, policies } = object(JSON.parse(decoder.decode(bytes)));
  if (form !== FORM) throw new DamagedError("the file has an unknown form");
  if (!Array.isArray(policies)) throw new DamagedError("the file holds no list");
  return new Map(policies.slice(-MAX_POLICIES).map((entry) => decodeEntry(object(entry))));
}

function decodeEntry({ domain, id, fetched, policy }: Record<string, unknown>) {
  if (typeof domain !== "string" || !isDomainName(domain)) throw wrong("domain");
  if (typeof id !== "string" || !isStsId(id)) throw wrong("id");
  if (typeof fetched !== "number" || fetched < 0) throw wrong("fetched");
  if (typeof policy !== "string") throw wrong("policy");
  return [domain.toLowerCase(), { id, fetched, policy: parseStsPolicy(policy) }] as const;
}

function wrong(what: string): DamagedError {
  return new DamagedError(`an entry has no usable ${what}`);
}

function object(json: unknown): Record<string, unknown> {
  if (typeof json === "object" && json !== null) return json as Record<string, unknown>;
  throw new DamagedError("the file holds something else");
}
