/** What is in a daemon's directories besides messages. */

import { namesIn } from "../../support/names_in.ts";

/** A message of a Maildir, and the two files of one in the queue. */
const MESSAGE = /^\d+\.M\d+P\d+Q\d+R[0-9a-f]{8}\.[^/]+,S=\d+$/;
const QUEUED = /^([0-9a-z]{15})\.(eml|json)$/;

/** Paths of files that no message in a mailbox or in the queue consists of. */
export async function leftoversIn(
  mailboxes: readonly string[],
  spool: string,
): Promise<string[]> {
  const left: string[] = [];
  const add = (directory: string, names: readonly string[]) => {
    left.push(...names.map((name) => `${directory}/${name}`));
  };
  for (const mailbox of mailboxes) {
    add(`${mailbox}/tmp`, await namesIn(`${mailbox}/tmp`));
    const others = (await namesIn(`${mailbox}/new`)).filter((name) => !MESSAGE.test(name));
    add(`${mailbox}/new`, others);
  }
  for (const part of ["tmp", "damaged", "requests"]) {
    add(`${spool}/${part}`, await namesIn(`${spool}/${part}`));
  }
  const names = await namesIn(`${spool}/queue`);
  const whole = new Set(names);
  const halves = names.filter((name) => {
    const [, id, kind] = QUEUED.exec(name) ?? [];
    return id === undefined || !whole.has(`${id}.${kind === "eml" ? "json" : "eml"}`);
  });
  add(`${spool}/queue`, halves);
  return left;
}
