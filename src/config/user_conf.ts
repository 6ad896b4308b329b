/**
 * user.conf: who has a mailbox here and where it is, `name:directory` or `name:address, address`, and
 * by which password's hash who logs in. No message holds anything of a third field, or of a line
 * whose fields cannot be told apart: it may be a password.
 */

import { type Mailbox, parseMailbox, PathError, printMailbox } from "../smtp/address.ts";
import { readLines } from "./lines.ts";
import { parseHash } from "./password.ts";
import { ConfigurationError, type Problem, ValueError } from "./problem.ts";

/** One line of user.conf. */
export interface User {
  /** As written; looked up without regard to case. `*` takes what no other line takes. */
  readonly name: string;
  /** Where its mail goes: into one mailbox directory, or on to other addresses. */
  readonly target: { readonly directory: string } | { readonly forwards: readonly Mailbox[] };
  /** The password's hash as `denosmtpd passwd` wrote it. */
  readonly hash: string | undefined;
  readonly line: number;
}

/** A local-part without its quotes, up to 64 octets: visible ASCII, blanks inside, but no @ or colon. */
const NAME = /^(?! )[ -9;-?A-~]{1,64}$/;
/** A local-part as it is written in an address (RFC 5321 4.5.3.1.1). */
const LONGEST_NAME = 64;

/** Characters behind the name: some hundred addresses. */
const LONGEST_REST = 16_384;

/** The second field: colons in an address stand in a literal's brackets or a quoted local-part alone. */
const SECOND_FIELD = /^(?:"(?:[^"\\]|\\.)*"@|@\[[^\]@]*\]|[^:])*/;

/** Every directory that mail can end in, each once. */
export function mailboxDirectories({ users }: { readonly users: readonly User[] }): string[] {
  const directories = users.flatMap(({ target }) =>
    "directory" in target ? [target.directory] : []
  );
  return [...new Set(directories)];
}

/** Reads and checks user.conf. Throws ConfigurationError with everything that is wrong in it. */
export async function readUserConf(file: string): Promise<User[]> {
  const problems: Problem[] = [];
  const users = new Map<string, User>();
  for (const { number: line, text } of await readLines(file)) {
    const user = parseUser(text, line);
    if (typeof user === "string") {
      problems.push({ file, line, message: user });
      continue;
    }
    const key = user.name.toLowerCase();
    const earlier = users.get(key);
    if (earlier) {
      problems.push({ file, line, message: `${user.name} stands already in line ${earlier.line}` });
    } else users.set(key, user);
  }
  if (users.size === 0 && problems.length === 0) {
    problems.push({
      file,
      message: "names no user, write at least one line like john:/var/mail/john",
    });
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return [...users.values()];
}

/** A user, or what is wrong with the line. */
function parseUser(text: string, line: number): User | string {
  const colon = text.indexOf(":");
  if (colon < 0) return "is not of the form name:directory or name:address, address";
  const name = text.slice(0, colon).trim();
  const rest = text.slice(colon + 1).trim();
  if (rest.length > LONGEST_REST) return `${LONGEST_REST} characters are the most behind the name`;
  const [second = ""] = SECOND_FIELD.exec(rest) ?? [];
  const value = second.trim();
  const hash = second.length < rest.length ? rest.slice(second.length + 1).trim() : undefined;
  if (/^".*"$/.test(name)) return `${name}: write the name without quotes`;
  if (!NAME.test(name)) {
    return `"${name}" is no user name, write what stands before the @ of the address, in ASCII`;
  }
  if (printMailbox({ localPart: name, domain: "" }).length > LONGEST_NAME) {
    return `${name}: the name has more than ${LONGEST_NAME} characters with its quotes, no mail could name it`;
  }
  const flaw = hash === undefined ? undefined : hashFlaw(name, hash);
  if (flaw !== undefined) return `${name}: ${flaw}`;
  if (value === "") return `${name}: a mailbox directory or an address to forward to is missing`;
  const target = looksLikeAddresses(value) ? parseForwards(value) : parseDirectory(value);
  return typeof target === "string" ? `${name}: ${target}` : { name, target, hash, line };
}

function hashFlaw(name: string, hash: string): string | undefined {
  if (hash === "") {
    return "the third field is empty, either denosmtpd passwd makes one or the colon before it goes";
  }
  if (name === "*") return "nobody logs in as *, a password belongs to a user's own line";
  try {
    parseHash(hash);
    return undefined;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const why = hash.startsWith("$scrypt$") ? ` (${error.message})` : "";
    const colon = hash.startsWith("$") ? "" : "; no directory's name may hold a colon";
    return `the third field is no password hash${why}, make one by: denosmtpd passwd${colon}`;
  }
}

/** A path with an @ in it can be told from an address by beginning with `/` or `.`. */
function looksLikeAddresses(value: string): boolean {
  return /[@,]/.test(value) && !/^[/.]/.test(value);
}

function parseDirectory(value: string): { directory: string } | string {
  if (value.includes(":")) return "no directory's name may hold a colon";
  if (value.startsWith("~")) return `"${value}": write the whole path, ~ means nothing here`;
  return { directory: value.length > 1 ? value.replace(/\/+$/, "") || "/" : value };
}

function parseForwards(value: string): { forwards: Mailbox[] } | string {
  const forwards: Mailbox[] = [];
  const texts = value.split(",").map((part) => part.trim());
  for (const [i, text] of texts.entries()) {
    if (text === "") return "an address is missing before or after a comma";
    try {
      forwards.push(parseMailbox(text));
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      // What stands behind a colon may have been meant as a password.
      const which = value.includes(":") ? `address ${i + 1}` : `"${text}"`;
      return `${which} is no address (${error.message}), write it like jack@example.com`;
    }
  }
  return { forwards };
}
