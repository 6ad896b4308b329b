/** `denosmtpd passwd`: the hash of a password, for a user's line in user.conf. */

import { hashPassword, LONGEST_PASSWORD, passwordFlaw, SALT_LENGTH } from "../config/password.ts";
import { HiddenInput, Interrupted } from "./hidden_input.ts";
import { complain, Exit, say } from "./terminal.ts";

const LF = 0x0a;
const CR = 0x0d;

const encoder = new TextEncoder();

/** Asks twice at a terminal, else takes the first line of standard input, and prints the hash. */
export async function passwd(): Promise<Exit> {
  try {
    const password = Deno.stdin.isTerminal() ? await askTwice() : await firstLine();
    if (password === undefined) {
      complain("the two passwords differ");
      return Exit.Failed;
    }
    const flaw = passwordFlaw(password);
    if (flaw !== undefined) {
      complain(flaw);
      return Exit.Failed;
    }
    say(await hashPassword(password, crypto.getRandomValues(new Uint8Array(SALT_LENGTH))));
    return Exit.Good;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return Exit.Failed;
  }
}

/** Undefined where something else was typed the second time. One that will not do is not asked for again. */
async function askTwice(): Promise<Uint8Array | undefined> {
  // Standard output is for the hash alone, which may go into a file.
  const input = new HiddenInput(Deno.stdin, (text) => {
    Deno.stderr.writeSync(encoder.encode(text));
  });
  const password = await input.ask("Password: ");
  if (passwordFlaw(password) !== undefined) return password;
  const again = await input.ask("Again: ");
  const same = again.length === password.length && again.every((octet, i) => octet === password[i]);
  return same ? password : undefined;
}

/** Without its end, LF or CR LF. Of one that is too long for a password, enough to tell. */
async function firstLine(): Promise<Uint8Array> {
  const line = new Uint8Array(LONGEST_PASSWORD + 2);
  let length = 0;
  while (length < line.length && !line.subarray(0, length).includes(LF)) {
    const read = await Deno.stdin.read(line.subarray(length));
    if (read === null) break;
    length += read;
  }
  const end = line.subarray(0, length).indexOf(LF);
  if (end < 0) return line.subarray(0, length);
  return line.subarray(0, end > 0 && line[end - 1] === CR ? end - 1 : end);
}
