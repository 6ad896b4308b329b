/** user.conf: who has a mailbox here and where it is, `name:directory` or `name:address, address`. */

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
  if (colon < 0) return `"${text}" is not of the form name:directory or name:address, address`;
  const name = text.slice(0, colon).trim();
  const rest = text.slice(colon + 1).trim();
  // No directory and no address holds a colon before a dollar sign.
  const hashAt = rest.search(/:\s*\$/);
  const value = (hashAt < 0 ? rest : rest.slice(0, hashAt)).trim();
  const hash = hashAt < 0 ? undefined : rest.slice(hashAt + 1).trim();
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
  if (name === "*") return "nobody logs in as *, a password belongs to a user's own line";
  try {
    parseHash(hash);
    return undefined;
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const why = hash.startsWith("$scrypt$") ? ` (${error.message})` : "";
    return `the third field is no password hash${why}, make one by: denosmtpd passwd`;
  }
}

/** A path with an @ in it can be told from an address by beginning with `/` or `.`. */
function looksLikeAddresses(value: string): boolean {
  return /[@,]/.test(value) && !/^[/.]/.test(value);
}

function parseDirectory(value: string): { directory: string } | string {
  if (value.includes(":")) {
    return `"${value}" is no directory, it holds a colon (a password's hash begins with $scrypt$)`;
  }
  if (value.startsWith("~")) return `"${value}": write the whole path, ~ means nothing here`;
  return { directory: value.length > 1 ? value.replace(/\/+$/, "") || "/" : value };
}

function parseForwards(value: string): { forwards: Mailbox[] } | string {
  const forwards: Mailbox[] = [];
  for (const text of value.split(",").map((part) => part.trim())) {
    if (text === "") return "an address is missing before or after a comma";
    try {
      forwards.push(parseMailbox(text));
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      return `"${text}" is no address (${error.message}), write it like jack@example.com`;
    }
  }
  return { forwards };
}
