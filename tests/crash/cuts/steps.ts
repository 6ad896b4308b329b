/**
 * Every durable step that the daemon takes, and whether it was cut off. A step that is not here is new:
 * somebody has to think of what a power cut does to it, and to say so by a line below.
 */

import type { Stop } from "./forgetful_disk.ts";
import type { Cut } from "./world.ts";

export const KNOWN: readonly string[] = [
  // Mailboxes are made, and tried out with a file that readers do not see.
  "mkdir /mail",
  "syncDirectory /",
  "mkdir mailbox",
  "syncDirectory /mail",
  "mkdir mailbox/tmp",
  "mkdir mailbox/new",
  "mkdir mailbox/cur",
  "syncDirectory mailbox",
  "create mailbox/tmp/*",
  "rename mailbox/tmp/* mailbox/new/.try",
  "syncDirectory mailbox/new",
  "remove mailbox/new/.try",
  // What a try was stopped at is removed, where it may be.
  "remove /.try",
  "remove /mail/.try",
  "remove mailbox/.try",
  "remove mailbox/tmp/.try",
  "remove mailbox/cur/.try",
  // The spool is made, and tried out.
  "mkdir /srv",
  "mkdir /srv/mail",
  "syncDirectory /srv",
  "mkdir spool",
  "syncDirectory /srv/mail",
  "mkdir spool/tmp",
  "mkdir spool/queue",
  "mkdir spool/damaged",
  "mkdir spool/requests",
  "syncDirectory spool",
  "create spool/tmp/.try",
  "remove spool/tmp/.try",
  "syncDirectory spool/tmp",
  "create spool/queue/.try",
  "remove spool/queue/.try",
  "syncDirectory spool/queue",
  // What was left unfinished is swept.
  "remove mailbox/tmp/*",
  "remove spool/tmp/*.eml",
  "remove spool/tmp/*.json",
  // Into mailboxes.
  "write mailbox/tmp/*",
  "sync mailbox/tmp/*",
  "link mailbox/tmp/* mailbox/new/*",
  "rename mailbox/tmp/* mailbox/new/*",
  // Into the queue, and what comes of it there.
  "create spool/tmp/*.eml",
  "write spool/tmp/*.eml",
  "sync spool/tmp/*.eml",
  "rename spool/tmp/*.eml spool/queue/*.eml",
  "create spool/tmp/*.json",
  "write spool/tmp/*.json",
  "sync spool/tmp/*.json",
  "rename spool/tmp/*.json spool/queue/*.json",
  "remove spool/queue/*.json",
  "remove spool/queue/*.eml",
  // Attempts that begin, and messages that are gone.
  "create spool/journal-*",
  "write spool/journal-*",
  "sync spool/journal-*",
  "remove spool/journal-*",
  // Asked for by people.
  "create spool/requests/remove-*",
  "remove spool/requests/remove-*",
  "create spool/requests/retry-*",
  "remove spool/requests/retry-*",
  "create spool/requests/retry-all",
  "remove spool/requests/retry-all",
  "syncDirectory spool/requests",
  // What domains demand.
  "rename spool/tmp/*.json spool/policies.json",
];

/** An operation without what differs from one message to the next: `rename spool/tmp/*.eml spool/queue/*.eml`. */
export function stepOf(operation: string): string {
  const [kind, ...paths] = operation.split(" ");
  return [kind, ...paths.map(placeOf)].join(" ");
}

function placeOf(path: string): string {
  return path
    .replace(/^\/srv\/mail\/spool/, "spool")
    .replace(/^\/mail\/(jones|smith)/, "mailbox")
    .replace(/\/+\.denosmtpd.*$/, "/.try")
    .replace(/\/tmp\/.*(\.eml|\.json)$/, "/tmp/*$1")
    .replace(/\/journal-\d+$/, "/journal-*")
    .replace(/^(mailbox\/(?:tmp|new))\/[^.].*$/, "$1/*")
    .replace(/[0-9a-z]{15}/, "*");
}

/** Where a stop tells most. */
export interface Rarest extends Stop {
  readonly cuts: number;
}

/** How often each step was cut. */
export class Steps {
  readonly #seen = new Map<string, { before: number; after: number }>();

  /** Operations by life, and the stops of all lives but the last. */
  count(operations: readonly (readonly string[])[], cuts: readonly Cut[]): void {
    operations.forEach((life, i) => {
      for (const operation of life) this.#of(stepOf(operation));
      const cut = cuts[i];
      const last = cut && life[cut.operation - 1];
      if (last !== undefined) this.#of(stepOf(last))[cut!.moment]++;
    });
  }

  get known(): number {
    return KNOWN.length;
  }

  /** How many steps were cut before them, or after them. */
  cut(moment: Cut["moment"]): number {
    return [...this.#seen.values()].filter((cuts) => cuts[moment] > 0).length;
  }

  /** The operation, counted from 1, and the moment that were cut least often, and how often. */
  rarest(operations: readonly string[]): Rarest | undefined {
    let rarest: Rarest | undefined;
    for (const [i, operation] of operations.entries()) {
      const cuts = this.#of(stepOf(operation));
      for (const moment of ["before", "after"] as const) {
        if (rarest && rarest.cuts <= cuts[moment]) continue;
        rarest = { operation: i + 1, moment, cuts: cuts[moment] };
      }
    }
    return rarest;
  }

  /** Steps that are not known, and known ones that were not cut. */
  complaints(): string[] {
    const unknown = [...this.#seen.keys()].filter((step) => !KNOWN.includes(step));
    return [
      ...unknown.map((step) => `a durable step that is not known: ${step}`),
      ...KNOWN.flatMap((step) => {
        const { before, after } = this.#of(step);
        if (before > 0 && after > 0) return [];
        return `cut ${before} times before it and ${after} after it: ${step}`;
      }),
    ];
  }

  #of(step: string): { before: number; after: number } {
    const known = this.#seen.get(step) ?? { before: 0, after: 0 };
    this.#seen.set(step, known);
    return known;
  }
}
