/** MIN_FREE: what of a file system is left free of new mail. */

import type { Space } from "../space.ts";
import { ValueError } from "./problem.ts";
import * as value from "./value.ts";

/** The larger of the two counts; both 0 for nothing at all. */
export interface MinFree {
  /** Of the file system's octets, and of the files that it can hold: from 0 to 1. */
  readonly share: number;
  /** Octets. */
  readonly octets: number;
}

/** Whether anything is to be left free at all. */
export function isKept({ share, octets }: MinFree): boolean {
  return share > 0 || octets > 0;
}

/** What a file system of this size has to have free. */
export interface Least {
  readonly octets: number;
  readonly inodes: number;
}

export function leastFree({ share, octets }: MinFree, { size, inodes }: Space): Least {
  return { octets: Math.max(octets, share * size), inodes: Math.ceil(share * inodes) };
}

const MOST_PERCENT = 90;
/** A bare 5 is most likely meant to be a share. */
const amount = value.size(1024 ** 2, 1024 ** 4);

/** A share, an amount, or one of each: `5%, 100M`; or the word `none`. */
export function minFree(text: string): MinFree {
  if (text.toLowerCase() === "none") return { share: 0, octets: 0 };
  const parts = value.list((part) => part)(text);
  const shares = parts.filter((part) => part.endsWith("%")).map(share);
  const amounts = parts.filter((part) => !part.endsWith("%")).map(octets);
  if (parts.length === 0 || shares.length > 1 || amounts.length > 1) throw mistaken(text);
  return { share: shares[0] ?? 0, octets: amounts[0] ?? 0 };
}

function share(text: string): number {
  const percent = Number(/^(\d{1,2}(?:\.\d{1,2})?)\s*%$/.exec(text)?.[1] ?? NaN);
  if (percent > 0 && percent <= MOST_PERCENT) return percent / 100;
  throw mistaken(text);
}

function octets(text: string): number {
  try {
    return amount(text);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw mistaken(text);
  }
}

function mistaken(text: string): ValueError {
  return new ValueError(
    `"${text}" is neither a share up to ${MOST_PERCENT}% nor a size of 1M or more, write it like 5%, 100M or none`,
  );
}
