/** One line in, one typed command out, or the reply that refuses it. */

import {
  isDomainName,
  type Mailbox,
  parseDomain,
  type Path,
  PathError,
  readForwardPath,
  readReversePath,
} from "./address.ts";
import { Cursor } from "./cursor.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";

/** The body types of RFC 6152. */
export type BodyType = "7BIT" | "8BITMIME";

export interface Hello {
  readonly verb: "HELO" | "EHLO";
  /** What the client calls itself: a name or an address literal. */
  readonly domain: string;
}

export interface Mail {
  readonly verb: "MAIL";
  readonly reversePath: Mailbox | null;
  /** Octets the client announces (RFC 1870), undefined where it does not. */
  readonly size: number | undefined;
  readonly body: BodyType;
  /** Whether any parameter was given: they are EHLO's alone. */
  readonly extended: boolean;
}

export interface Rcpt {
  readonly verb: "RCPT";
  readonly forwardPath: Mailbox;
}

export interface Plain {
  readonly verb: "DATA" | "RSET" | "NOOP" | "QUIT" | "VRFY" | "EXPN";
}

export interface Help {
  readonly verb: "HELP";
  readonly lines: readonly string[];
}

export type Command = Hello | Mail | Rcpt | Plain | Help;

/** Octets of a command line with its CR LF (RFC 5321 4.5.3.1.4). */
const MAX_LINE = 512;
/** MAIL may be longer by what its extensions add: 26 for SIZE (RFC 1870 3), 17 for BODY (RFC 6152 2). */
const MAX_MAIL_LINE = MAX_LINE + 26 + 17;

/** No command line is ever longer, in octets with CR LF. */
export const LONGEST_LINE = MAX_MAIL_LINE;

interface Verb {
  readonly syntax: string;
  /** `argument` is what follows the verb and its spaces, without trailing blanks. */
  readonly parse: (argument: string) => Command | Reply;
}

const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ["HELO", { syntax: "HELO domain", parse: (argument) => parseHello("HELO", argument) }],
  ["EHLO", { syntax: "EHLO domain", parse: (argument) => parseHello("EHLO", argument) }],
  ["MAIL", {
    syntax: "MAIL FROM:<reverse-path> [SIZE=octets] [BODY=7BIT|8BITMIME]",
    parse: parseMail,
  }],
  ["RCPT", { syntax: "RCPT TO:<forward-path>", parse: parseRcpt }],
  ["DATA", { syntax: "DATA", parse: (argument) => alone("DATA", argument) }],
  ["RSET", { syntax: "RSET", parse: (argument) => alone("RSET", argument) }],
  ["NOOP", { syntax: "NOOP [anything]", parse: () => ({ verb: "NOOP" }) }],
  ["QUIT", { syntax: "QUIT", parse: (argument) => alone("QUIT", argument) }],
  ["VRFY", { syntax: "VRFY user", parse: (argument) => withArgument("VRFY", argument) }],
  ["EXPN", { syntax: "EXPN list", parse: (argument) => withArgument("EXPN", argument) }],
  ["HELP", { syntax: "HELP [command]", parse: parseHelp }],
]);

/** Known to RFC 788 or 821, obsolete since (RFC 5321 appendix F): 502, not 500 (4.2.4). */
const NOT_IMPLEMENTED = new Set(["SEND", "SOML", "SAML", "TURN"]);

/**
 * Reads one command line, given without its CR LF, each octet one character. Octets outside
 * printable ASCII are refused here (RFC 5321 2.4, 4.1.2), so nothing past this point sees one.
 */
export function parseCommand(line: string): Command | Reply {
  // deno-lint-ignore no-control-regex
  if (/[^\x00-\x7f]/.test(line)) return replies.notAscii;
  // Blanks before the CR LF are tolerated (RFC 5321 4.1.1).
  const text = withoutTrailingBlanks(line);
  if (/[^ -~]/.test(text)) return replies.badCharacter;
  const space = text.indexOf(" ");
  const word = (space < 0 ? text : text.slice(0, space)).toUpperCase();
  const limit = word === "MAIL" ? MAX_MAIL_LINE : MAX_LINE;
  if (line.length + 2 > limit) return replies.lineTooLong;
  if (NOT_IMPLEMENTED.has(word)) return replies.notImplemented;
  const verb = VERBS.get(word);
  if (!verb) return replies.unknownCommand;
  return verb.parse(space < 0 ? "" : text.slice(space).replace(/^ +/, ""));
}

function withoutTrailingBlanks(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  return line.slice(0, end);
}

/**
 * A name with an underscore is none (RFC 5321 4.1.2), yet many machines call themselves by one;
 * what they say here decides nothing (4.1.4), so it is let through.
 */
function parseHello(verb: Hello["verb"], argument: string): Hello | Reply {
  const domain = parseDomain(argument) ??
    (isDomainName(argument.replaceAll("_", "x")) ? argument : undefined);
  return domain === undefined ? replies.badHello : { verb, domain };
}

function parseMail(argument: string): Mail | Reply {
  const parsed = parsePath(argument, "FROM:", readReversePath, {
    command: replies.badMail,
    path: replies.badReversePath,
  });
  if ("code" in parsed) return parsed;
  const { path, parameters } = parsed;
  let size: number | undefined;
  let body: BodyType | undefined;
  for (const [name, value] of parameters) {
    if (name === "SIZE") {
      // Digits as RFC 1870 3 has them; what exceeds a number's precision is far over any limit.
      if (size !== undefined || !/^\d{1,20}$/.test(value ?? "")) {
        return replies.badParameter("SIZE");
      }
      size = Number(value);
    } else if (name === "BODY") {
      const type = value?.toUpperCase();
      if (body !== undefined || (type !== "7BIT" && type !== "8BITMIME")) {
        return replies.badParameter("BODY");
      }
      body = type;
    } else return replies.unknownParameter;
  }
  return {
    verb: "MAIL",
    reversePath: path && path.mailbox,
    size,
    body: body ?? "7BIT",
    extended: parameters.length > 0,
  };
}

function parseRcpt(argument: string): Rcpt | Reply {
  const parsed = parsePath(argument, "TO:", readForwardPath, {
    command: replies.badRcpt,
    path: replies.badForwardPath,
  });
  if ("code" in parsed) return parsed;
  if (parsed.parameters.length > 0) return replies.unknownParameter;
  return { verb: "RCPT", forwardPath: parsed.path.mailbox };
}

/** `FROM:<path> parameters` or `TO:<path> parameters`; `bad` are the replies to what is not that. */
function parsePath<P extends Path | null>(
  argument: string,
  word: string,
  read: (cursor: Cursor) => P,
  bad: { readonly command: Reply; readonly path: (why: string) => Reply },
): { path: P; parameters: Parameter[] } | Reply {
  const cursor = new Cursor(argument);
  if (!cursor.accept(word)) return bad.command;
  // `FROM: <a@b>` is no grammar's, but common clients say it.
  cursor.run(/ /);
  try {
    const path = read(cursor);
    const parameters = parseParameters(cursor.rest);
    return parameters ? { path, parameters } : bad.command;
  } catch (error) {
    if (error instanceof PathError) return bad.path(error.message);
    throw error;
  }
}

type Parameter = readonly [name: string, value: string | undefined];

/** ` KEYWORD=value KEYWORD` (RFC 5321 4.1.2), undefined where it is not that. */
function parseParameters(text: string): Parameter[] | undefined {
  if (text === "") return [];
  if (!text.startsWith(" ")) return undefined;
  const result: Parameter[] = [];
  for (const word of text.trim().split(/ +/)) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?$/.exec(word);
    if (!match?.[1]) return undefined;
    result.push([match[1].toUpperCase(), match[2]]);
  }
  return result;
}

/** RFC 5321 4.1.1: DATA, RSET and QUIT have no argument, one is answered 501. */
function alone(verb: "DATA" | "RSET" | "QUIT", argument: string): Plain | Reply {
  return argument === "" ? { verb } : replies.noArgument;
}

function withArgument(verb: "VRFY" | "EXPN", argument: string): Plain | Reply {
  return argument === "" ? replies.missingArgument : { verb };
}

function parseHelp(argument: string): Help | Reply {
  if (argument === "") {
    return { verb: "HELP", lines: [[...VERBS.keys()].join(" "), "HELP command tells its syntax"] };
  }
  const verb = VERBS.get(argument.toUpperCase());
  return verb ? { verb: "HELP", lines: [verb.syntax] } : replies.noSuchHelp;
}
