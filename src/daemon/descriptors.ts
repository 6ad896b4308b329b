/** Whether the system lets the daemon have as many clients as it is configured for. */

import type { Configuration } from "../config/configuration.ts";
import type { Warning } from "./warnings.ts";

/** Clients that are not looked for room for: a start is to be short, and most systems have that. */
const USUAL = 1000;
/** Descriptors besides the clients': files of messages, connections to other hosts, what Deno needs. */
const BESIDES = 200;
/** Descriptors that are tried at most: about a second's worth. */
const MOST = 100_000;

/**
 * Deno raises the limit of descriptors as far as the system lets it, but does not tell it: so it is
 * found out by opening a file of the configuration as often as there may be clients. Only for a start,
 * when nobody needs them; for 5,000 it takes some hundredths of a second.
 */
export function tooFewDescriptors({ mail, files }: Configuration): Warning[] {
  const { MAX_CLIENTS } = mail;
  if (MAX_CLIENTS <= USUAL) return [];
  const wanted = Math.min(MAX_CLIENTS + BESIDES, MOST);
  const free = countFree(wanted, files.mail);
  if (free >= wanted) return [];
  const fields = {
    setting: "MAX_CLIENTS",
    wanted,
    free,
    mend: "LimitNOFILE in the service's unit, or ulimit -n",
  };
  return [{ event: "too few descriptors", fields }];
}

/** Descriptors that can be had, up to as many as are wanted. */
function countFree(wanted: number, path: string): number {
  const opened: Deno.FsFile[] = [];
  try {
    while (opened.length < wanted) opened.push(Deno.openSync(path));
  } catch (error) {
    // Out of them in the process, or in the system (EMFILE, ENFILE). About all else others complain.
    if (!/\(os error 2[43]\)/.test(String(error))) return wanted;
  } finally {
    opened.forEach((file) => file.close());
  }
  return opened.length;
}
