/** Passwords are guessed over many connections, and who knows his own logs in meanwhile. */

import assert from "node:assert/strict";
import { run, testWith } from "../support/programs.ts";
import { PASSWORD, type SecuredDaemon, startSecuredDaemon } from "../support/secured_daemon.ts";

const SCRIPT = new URL("logins.py", import.meta.url).pathname;

interface Client {
  readonly address: string;
  readonly name: string;
  readonly passwords: readonly string[];
}

/** What a client has heard of one try. */
interface Heard {
  readonly code: number;
  readonly status: string;
  readonly seconds: number;
}

const JONES: Client = {
  address: "127.0.0.2",
  name: "jones",
  passwords: [PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD],
};
const REFUSED = "535 5.7.8";
const TURNED_OUT = "421 4.7.0";
/** What an address may fail in a quarter of an hour. */
const MOST_FAILURES = 10;

testWith(
  ["openssl", "python3"],
  "50 connections of one address guess in vain, and keep nobody out",
  async () => {
    await using daemon = await startSecuredDaemon();
    const guessers = Array.from({ length: 50 }, (_, i) => guesser("127.0.0.1", i, 6));
    const heard = await guessAndLogIn(daemon, guessers);
    const all = heard.flat().map(inShort);
    assert.deepEqual(new Set(all), new Set([REFUSED, TURNED_OUT]));
    const failures = all.filter((one) => one === REFUSED).length;
    assert(failures <= MOST_FAILURES, `${failures} passwords could be tried`);
  },
);

testWith(
  ["openssl", "python3"],
  "25 addresses guess each for itself, and keep nobody out",
  async () => {
    await using daemon = await startSecuredDaemon();
    const guessers = Array.from({ length: 25 }, (_, i) => guesser(`127.0.1.${i + 1}`, i, 4));
    const heard = await guessAndLogIn(daemon, guessers);
    // So many have tried that name that three failures for it are enough.
    const few = [REFUSED, REFUSED, REFUSED, TURNED_OUT];
    for (const one of heard) assert.deepEqual(one.map(inShort), few);
  },
);

/** Each guess another one. */
function guesser(address: string, number: number, tries: number): Client {
  const passwords = Array.from({ length: tries }, (_, i) => `guess ${number}.${i}`);
  return { address, name: "jones", passwords };
}

/** What the guessers hear. With them comes jones, from elsewhere, and must be able to log in. */
async function guessAndLogIn(
  daemon: SecuredDaemon,
  guessers: readonly Client[],
): Promise<Heard[][]> {
  const [honest = [], ...others] = await logIn(daemon, [JONES, ...guessers]);
  assert.deepEqual(honest.map(inShort), JONES.passwords.map(() => "235 2.7.0"));
  // Not asserted, as it is the machine's as much as ours.
  const slowest = Math.max(...honest.map(({ seconds }) => seconds)).toFixed(3);
  Deno.stdout.writeSync(new TextEncoder().encode(`the slowest login of five: ${slowest} s\n`));
  return others;
}

async function logIn(daemon: SecuredDaemon, clients: readonly Client[]): Promise<Heard[][]> {
  const args = ["-I", SCRIPT, String(daemon.portFor("submissions")), daemon.authorityFile];
  const input = new TextEncoder().encode(JSON.stringify(clients));
  const { code, output, words } = await run("python3", args, { input });
  assert.equal(code, 0, words);
  return JSON.parse(new TextDecoder().decode(output));
}

function inShort({ code, status }: Heard): string {
  return `${code} ${status}`;
}
