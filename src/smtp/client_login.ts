/** The login of the sending side (AUTH PLAIN, RFC 4954, RFC 4616), and that its secret stays one. */

import type { Reply } from "./reply.ts";

/** Who this side says it is where the server asks for a login. No octet of either is NUL. */
export interface ClientLogin {
  readonly user: string;
  readonly password: string;
}

/** Octets of `AUTH PLAIN` with its response and CR LF (RFC 4954 4 leaves RFC 5321's limit as it is). */
const LONGEST_COMMAND = 512;
/** Characters of the response by which it is recognised in what a server says. */
const PIECE = 8;

/** Whether a login is short enough to be sent. */
export function fitsCommand(login: ClientLogin): boolean {
  return authCommand(login).length + 2 <= LONGEST_COMMAND;
}

/** The response goes with the command: `NUL authcid NUL passwd` (RFC 4616 2, RFC 4954 4). */
export function authCommand(login: ClientLogin): string {
  return `AUTH PLAIN ${responseOf(login)}`;
}

function responseOf({ user, password }: ClientLogin): string {
  const octets = new TextEncoder().encode(`\0${user}\0${password}`);
  return btoa(String.fromCharCode(...octets));
}

/** The commands as they may be shown: without what proves who this is. */
export function withoutSecrets(commands: string): string {
  return commands.replace(/^AUTH PLAIN .*$/gm, "AUTH PLAIN ***");
}

/**
 * The answer to a login as it may be shown, in logs and reports: there are servers that repeat what
 * they were sent.
 */
export function tellable(reply: Reply, login: ClientLogin): Reply {
  const text = comparable(reply.lines.join(""));
  const shown = !secretsOf(login).some((secret) => text.includes(comparable(secret)));
  return shown ? reply : { ...reply, lines: ["(kept back, it repeats the login)"] };
}

/** The password, and each piece of the response. */
function secretsOf(login: ClientLogin): string[] {
  const response = responseOf(login);
  const starts = Math.max(1, response.length - PIECE + 1);
  const pieces = Array.from({ length: starts }, (_, i) => response.slice(i, i + PIECE));
  return [login.password, ...pieces];
}

/** What a server's reading and our own (`?` for octets that cannot be shown) may make of a text. */
function comparable(text: string): string {
  return text.replaceAll(" ", "").replace(/[^!-~?]+|\?+/g, "?").replace(/\?+/g, "?").toLowerCase();
}
