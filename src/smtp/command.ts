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
import type { Extensions } from "./extensions.ts";
import * as replies from "./reply.ts";
import type { Reply } from "./reply.ts";
import { type Mechanism, MECHANISMS } from "./sasl.ts";

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
  readonly verb: "DATA" | "RSET" | "NOOP" | "QUIT" | "VRFY" | "EXPN" | "STARTTLS";
}

export interface Help {
  readonly verb: "HELP";
  readonly lines: readonly string[];
}

export interface Auth {
  readonly verb: "AUTH";
  readonly mechanism: Mechanism;
  /** In base64, undefined where the client wants to be asked first. */
  readonly initialResponse: string | undefined;
}

export type Command = Hello | Mail | Rcpt | Plain | Help | Auth;

/** Octets of a command line with its CR LF (RFC 5321 4.5.3.1.4). */
const MAX_LINE = 512;
/**
 * MAIL may be longer by what its extensions add: 26 for SIZE (RFC 1870 3), 17 for BODY (RFC 6152 2),
 * 500 for AUTH (RFC 4954 3).
 */
const MAX_MAIL_LINE = MAX_LINE + 26 + 17;
const MAX_MAIL_LINE_WITH_AUTH = MAX_MAIL_LINE + 500;
/** AUTH carries base64 (RFC 4954 4). */
const MAX_AUTH_LINE = 12288;

/** No command line is ever longer, in octets with CR LF; where a login is offered the second one holds. */
export const LONGEST_LINE = MAX_MAIL_LINE;
export const LONGEST_LINE_WITH_AUTH = MAX_AUTH_LINE;

const NONE: Extensions = { startTls: false, auth: false };

interface Verb {
  readonly syntax: string;
  /** `argument` is what follows the verb and its spaces, without trailing blanks. */
  readonly parse: (argument: string, extensions: Extensions) => Command | Reply;
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
  ["STARTTLS", { syntax: "STARTTLS", parse: (argument) => alone("STARTTLS", argument) }],
  ["AUTH", { syntax: `AUTH ${MECHANISMS.join("|")} [initial-response]`, parse: parseAuth }],
]);

/** `<>`, or an address with what could be mistaken written as `+` and two digits (RFC 4954 5, RFC 3461 4). */
const XTEXT = /^(?:<>|(?:[!-*,-<>-~]|\+[0-9A-F]{2})+)$/;

/** Known to RFC 788 or 821, obsolete since (RFC 5321 appendix F): 502, not 500 (4.2.4). */
const NOT_IMPLEMENTED = new Set(["SEND", "SOML", "SAML", "TURN"]);

/** Whether a word, in upper case, is the name of a command. */
export function isVerb(word: string): boolean {
  return VERBS.has(word) || NOT_IMPLEMENTED.has(word);
}

/**
 * Reads one command line, given without its CR LF, each octet one character. Octets outside
 * printable ASCII are refused here (RFC 5321 2.4, 4.1.2), so nothing past this point sees one.
 */
export function parseCommand(line: string, extensions: Extensions = NONE): Command | Reply {
  // Blanks before the CR LF are tolerated (RFC 5321 4.1.1).
  const text = withoutTrailingBlanks(line);
  if (/[^ -~]/.test(text)) return isAscii(text) ? replies.badCharacter : replies.notAscii;
  const space = text.indexOf(" ");
  const word = (space < 0 ? text : text.slice(0, space)).toUpperCase();
  if (line.length + 2 > longest(word, extensions)) return replies.lineTooLong;
  if (NOT_IMPLEMENTED.has(word)) return replies.notImplemented;
  const verb = VERBS.get(word);
  if (!verb) return replies.unknownCommand;
  if (!isOffered(word, extensions)) return replies.notImplemented;
  return verb.parse(space < 0 ? "" : text.slice(space).replace(/^ +/, ""), extensions);
}

/** What is known but not offered is answered 502 (RFC 5321 4.2.4). */
function isOffered(verb: string, { startTls, auth }: Extensions): boolean {
  return verb === "STARTTLS" ? startTls : verb !== "AUTH" || auth;
}

function longest(word: string, { auth }: Extensions): number {
  if (word === "MAIL") return auth ? MAX_MAIL_LINE_WITH_AUTH : MAX_MAIL_LINE;
  return auth && word === "AUTH" ? MAX_AUTH_LINE : MAX_LINE;
}

function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
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

function parseMail(argument: string, { auth }: Extensions): Mail | Reply {
  const parsed = parsePath(argument, "FROM:", readReversePath, {
    command: replies.badMail,
    path: replies.badReversePath,
  });
  if ("code" in parsed) return parsed;
  const { path, parameters } = parsed;
  let size: number | undefined;
  let body: BodyType | undefined;
  let submitter: string | undefined;
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
    } else if (name === "AUTH" && auth) {
      // Who first submitted it. Nobody here is trusted to say that, so it is read and passed by (RFC 4954 5).
      if (submitter !== undefined || !XTEXT.test(value ?? "")) return replies.badParameter("AUTH");
      submitter = value;
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
  if (!cursor.acceptWord(word)) return bad.command;
  // `FROM: <a@b>` is no grammar's, but common clients say it.
  cursor.run(/ +/y);
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

/** RFC 5321 4.1.1: DATA, RSET and QUIT have no argument, nor has STARTTLS (RFC 3207 4): 501. */
function alone(verb: "DATA" | "RSET" | "QUIT" | "STARTTLS", argument: string): Plain | Reply {
  return argument === "" ? { verb } : replies.noArgument;
}

function withArgument(verb: "VRFY" | "EXPN", argument: string): Plain | Reply {
  return argument === "" ? replies.missingArgument : { verb };
}

function parseAuth(argument: string): Auth | Reply {
  const [name = "", initialResponse, more] = argument.split(/ +/);
  if (name === "" || more !== undefined) return replies.badAuth;
  const mechanism = MECHANISMS.find((known) => known === name.toUpperCase());
  return mechanism ? { verb: "AUTH", mechanism, initialResponse } : replies.unknownMechanism;
}

function parseHelp(argument: string, extensions: Extensions): Help | Reply {
  const known = [...VERBS.keys()].filter((verb) => isOffered(verb, extensions));
  if (argument === "") {
    return { verb: "HELP", lines: [known.join(" "), "HELP command tells its syntax"] };
  }
  const verb = VERBS.get(known.find((one) => one === argument.toUpperCase()) ?? "");
  return verb ? { verb: "HELP", lines: [verb.syntax] } : replies.noSuchHelp;
}
