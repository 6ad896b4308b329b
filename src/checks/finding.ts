/** What a check found, for people and for programs. */

export interface Finding {
  /** What was looked at, such as `MX of example.com`. */
  readonly about: string;
  /** Only "wrong" has to be mended. "unknown" could not be told from here. */
  readonly state: "good" | "wrong" | "unknown" | "note";
  /** How it is. May hold what others wrote into DNS: not fit for a terminal as it stands. */
  readonly is: string;
  readonly should?: string;
  /** Lines of a configuration file or DNS records, exactly as they should be. */
  readonly mend?: readonly string[];
}

export function good(about: string, is: string): Finding {
  return { about, state: "good", is };
}

export function unknown(about: string, is: string): Finding {
  return { about, state: "unknown", is };
}

/** No fault, but worth knowing. */
export function note(about: string, is: string, mend: readonly string[] = []): Finding {
  return { about, state: "note", is, ...mend.length > 0 ? { mend } : {} };
}

export function wrong(
  about: string,
  is: string,
  should: string,
  mend: readonly string[] = [],
): Finding {
  return { about, state: "wrong", is, should, ...mend.length > 0 ? { mend } : {} };
}

/** `a`, `a and b`, `a, b and c`; of many the first ones. */
export function join(items: readonly string[], most = 6): string {
  const shown = items.length > most
    ? [...items.slice(0, most), `${items.length - most} more`]
    : items;
  const [last = "", ...others] = shown.toReversed();
  return others.length === 0 ? last : `${others.reverse().join(", ")} and ${last}`;
}
