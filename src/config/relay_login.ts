/** The file that RELAY_LOGIN_FILE names: `user:password`, and nobody else may read it. */

import { type ClientLogin, fitsCommand } from "../smtp/client_login.ts";
import { findFile, unreadable } from "./file.ts";
import { ValueError } from "./problem.ts";
import { chmod } from "./secrecy.ts";

/** Octets of the file; a login and a few comments are less. */
const MOST_READ = 64 * 1024;

/** The rights of a group and of others. */
const FOREIGN = 0o077;

/**
 * Reads it. The login is the first line that is neither empty nor a comment (`#` at its start); all
 * after the first colon is the password, blanks and all. Rejects with ValueError saying what would be
 * right; no message holds a part of the file.
 */
export async function readRelayLogin(path: string): Promise<ClientLogin> {
  let file;
  try {
    await findFile(path);
    file = await Deno.open(path);
  } catch (error) {
    throw new ValueError(unreadable(error));
  }
  try {
    const { mode } = await file.stat();
    if (mode !== null && (mode & FOREIGN) !== 0) {
      throw new ValueError(`others than its owner may read or write it, ${chmod("600", path)}`);
    }
    return parse(await readText(file));
  } finally {
    file.close();
  }
}

async function readText(file: Deno.FsFile): Promise<string> {
  const buffer = new Uint8Array(MOST_READ);
  let length = 0;
  for (;;) {
    const read = await file.read(buffer.subarray(length));
    if (read === null) break;
    length += read;
    if (length === MOST_READ) throw new ValueError("is too long for a login");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
  } catch {
    throw new ValueError("is not UTF-8 text");
  }
}

function parse(text: string): ClientLogin {
  const lines = text.split(/\r?\n/);
  const at = lines.findIndex((line) => !/^\s*(#|$)/.test(line));
  const line = lines[at];
  if (line === undefined) throw new ValueError("holds no login, write a line like user:password");
  const where = `line ${at + 1}`;
  const colon = line.indexOf(":");
  if (colon < 0) throw new ValueError(`${where} is not of the form user:password`);
  const login = { user: line.slice(0, colon), password: line.slice(colon + 1) };
  if (login.user === "") throw new ValueError(`${where} has no user before the colon`);
  if (login.password === "") throw new ValueError(`${where} has no password after the colon`);
  if (/\p{Cc}/u.test(line)) throw new ValueError(`${where} holds a control character`);
  if (!fitsCommand(login)) throw new ValueError(`${where} is too long for a login`);
  return login;
}
