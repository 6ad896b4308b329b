/**
 * Passwords as user.conf keeps them: `$scrypt$ln=14,r=8,p=1$SALT$HASH`, salt and hash in base64
 * without padding. scrypt (RFC 7914) makes each guess at a stolen hash cost memory and time.
 */

import { ValueError } from "./problem.ts";

/** scrypt's parameters: N is 2^ln, and 128 * r * N octets are needed. */
interface Cost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** A hash taken apart. */
export interface PasswordHash extends Cost {
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

/** 16 MiB, and about a twentieth of a second of one core. */
const COST: Cost = { ln: 14, r: 8, p: 1 };
export const SALT_LENGTH = 16;
const KEY_LENGTH = 32;

const MIB = 1024 ** 2;
/** What a client may make the daemon spend on one login. */
const MOST_MEMORY = 128 * MIB;
const BOUNDS = { ln: [10, 17], r: [1, 16], p: [1, 8], salt: [8, 64], key: [16, 64] } as const;

/** Octets. PLAIN must take as many, and ends each of its parts with NUL (RFC 4616 2). */
export const LONGEST_PASSWORD = 255;
const NUL = 0;

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([^$]*)\$([^$]*)$/;

/** What keeps these octets from being a password, undefined where nothing does. */
export function passwordFlaw(password: Uint8Array): string | undefined {
  if (password.length === 0) return "the password is empty";
  if (password.length > LONGEST_PASSWORD) {
    return `the password has more than ${LONGEST_PASSWORD} octets, no login could carry it`;
  }
  return password.includes(NUL) ? "the password holds NUL, no login could carry it" : undefined;
}

/** The hash for user.conf. `salt` is 16 octets that nobody could guess; passwordFlaw found nothing. */
export async function hashPassword(password: Uint8Array, salt: Uint8Array): Promise<string> {
  return printHash({ ...COST, salt, key: await derive(password, salt, KEY_LENGTH, COST) });
}

/** Whether this is the password of a hash that parseHash takes. The work is done by another thread. */
export async function verifyPassword(hash: string, password: Uint8Array): Promise<boolean> {
  if (passwordFlaw(password) !== undefined) return false;
  const { salt, key, ...cost } = parseHash(hash);
  const { timingSafeEqual } = await crypt();
  return timingSafeEqual(key, await derive(password, salt, key.length, cost));
}

/**
 * A hash that no password fits, to verify against where there is none. That takes as long as the
 * costliest of these hashes: where all cost the same, as those of one `denosmtpd passwd` do, the time
 * does not tell who has one. Who has a cheaper one is answered sooner than nobody, and so shows.
 */
export function dummyHash(hashes: readonly string[]): string {
  const costs: readonly Cost[] = hashes.map(parseHash);
  const cost = costs.length === 0 ? COST : costs.reduce((a, b) => effort(b) > effort(a) ? b : a);
  return printHash({
    ...cost,
    salt: new Uint8Array(SALT_LENGTH),
    key: new Uint8Array(KEY_LENGTH),
  });
}

/** Of hashes that do not all cost the same, those that a new one would differ from. */
export function unequalHashes(hashes: readonly string[]): string[] {
  const efforts = new Set(hashes.map((hash) => effort(parseHash(hash))));
  if (efforts.size < 2) return [];
  return hashes.filter((hash) => effort(parseHash(hash)) !== effort(COST));
}

/** What the time to verify grows with. */
function effort({ ln, r, p }: Cost): number {
  return 2 ** ln * r * p;
}

/** Takes a hash of user.conf apart. Throws ValueError where it is none, or costs too little or too much. */
export function parseHash(text: string): PasswordHash {
  const [, ln, r, p, saltText, keyText] = FORM.exec(text) ?? [];
  if (saltText === undefined || keyText === undefined) {
    throw new ValueError("it is not of the form $scrypt$ln=14,r=8,p=1$SALT$HASH");
  }
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  for (const name of ["ln", "r", "p"] as const) inBounds(cost[name], BOUNDS[name], `${name} is`);
  if (memory(cost) > MOST_MEMORY) {
    throw new ValueError(
      `it needs ${memory(cost) / MIB} MiB, at most ${MOST_MEMORY / MIB} are had`,
    );
  }
  const [salt, key] = [decode("salt", saltText), decode("hash", keyText)];
  inBounds(salt.length, BOUNDS.salt, "octets of its salt:");
  inBounds(key.length, BOUNDS.key, "octets of its hash:");
  return { ...cost, salt, key };
}

function inBounds(value: number, [least, most]: readonly [number, number], what: string): void {
  if (value < least || value > most) {
    throw new ValueError(`${what} ${value}, not ${least} to ${most}`);
  }
}

/** Strict: a letter too few is seen, and mostly a wrong one in the last place. */
function decode(what: string, text: string): Uint8Array {
  try {
    if (!/^[A-Za-z0-9+/]*$/.test(text)) throw new SyntaxError();
    const padding = "=".repeat((4 - text.length % 4) % 4);
    return Uint8Array.fromBase64(text + padding, { lastChunkHandling: "strict" });
  } catch {
    throw new ValueError(`its ${what} is no base64`);
  }
}

function printHash({ ln, r, p, salt, key }: PasswordHash): string {
  const [saltText, keyText] = [salt, key].map((bytes) => bytes.toBase64({ omitPadding: true }));
  return `$scrypt$ln=${ln},r=${r},p=${p}$${saltText}$${keyText}`;
}

function memory({ ln, r }: Cost): number {
  return 128 * r * 2 ** ln;
}

/** Loaded for those who need it: every thread reads hashes, few of them verify one. */
function crypt(): Promise<typeof import("node:crypto")> {
  return import("node:crypto");
}

async function derive(
  password: Uint8Array,
  salt: Uint8Array,
  length: number,
  cost: Cost,
): Promise<Uint8Array> {
  const { ln, r, p } = cost;
  const { scrypt } = await crypt();
  // Some more than scrypt's own need, which some count with its small buffers.
  const options = { N: 2 ** ln, r, p, maxmem: MOST_MEMORY + MIB };
  return await new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => error ? reject(error) : resolve(key));
  });
}
