/** Small and large damage to an input. */

import type { Random } from "../support/random.ts";
import { characters, joined, octets, utf8 } from "./octets.ts";

/** Octets. Longer inputs cost time and find little. */
export const LONGEST_INPUT = 96 * 1024;

/** What is trouble for nearly everything that reads text. */
const WORDS = [
  ..."\r\n\0\t .<>@,:;\"\\()[]{}=+-*%$#/'&|?!\x7f\x80\x85\xa0\xad\xff\x1b\x08\x0b\x0c",
  ...["\r\n", "\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r\r\n", "\r\n\r\n", "\0.\r\n"],
  ...['""', '\\"', "<>", "()", "[]", "::", "..", "--", "=?", "?=", "=3D", "=40", "%00", "\x1b[2J"],
  ...["0", "-0", "-1", "1e999", "2147483648", "9007199254740993", "99999999999999999999", "NaN"],
  ...["null", "true", "__proto__", "constructor", "toString"],
  ...["é", "\u061c", "\u202e", "\u2028", "\ufeff", "\u{1f600}", "\u0130", "\u212a", "\uff1c"].map(
    utf8,
  ),
  // No UTF-8: cut short, too long for what it says, half of a pair, above all there is.
  ...["\xc3", "\xe2\x80", "\xc0\x80", "\xc0\xae", "\xed\xa0\x80", "\xf5\x80\x80\x80"],
];

/** Where limits are; long ones cost time, and are tried more seldom. */
const LENGTHS = [1, 2, 16, 63, 64, 65, 76, 77, 128, 253, 255, 256, 257, 510, 512, 555, 998, 1000];
const LARGE = [2000, 4096, 8192, 12_286, 12_288, 12_290, 16_384, 32_768, 65_535, 65_537];

/** The input with one to eight changes. `others` are inputs of the same kind to take parts of. */
export function mutated(
  random: Random,
  input: Uint8Array,
  words: readonly string[],
  others: readonly Uint8Array[],
): Uint8Array {
  let bytes = input;
  // Mostly few: what is damaged in many places is refused in the first.
  for (let left = random.pick([1, 1, 1, 2, 2, 3, 5, 8]); left > 0; left--) {
    bytes = random.pick(WAYS)({ random, bytes, words, others });
  }
  return bytes.subarray(0, LONGEST_INPUT);
}

interface Material {
  readonly random: Random;
  readonly bytes: Uint8Array;
  readonly words: readonly string[];
  readonly others: readonly Uint8Array[];
}

type Way = (material: Material) => Uint8Array;

/** Some are there more than once, to come more often. */
const WAYS: readonly Way[] = [
  insertWord,
  insertWord,
  insertWord,
  replaceByWord,
  replaceByWord,
  flipBit,
  removePart,
  removePart,
  repeatPart,
  movePart,
  stretch,
  splice,
  takePart,
  otherCase,
  otherNumber,
];

function insertWord({ random, bytes, words }: Material): Uint8Array {
  const at = random.between(0, bytes.length);
  return replaced(bytes, at, at, anyWord(random, words));
}

function replaceByWord({ random, bytes, words }: Material): Uint8Array {
  const [start, end] = part(random, bytes, 8);
  return replaced(bytes, start, end, anyWord(random, words));
}

function flipBit({ random, bytes }: Material): Uint8Array {
  if (bytes.length === 0) return bytes;
  const changed = bytes.slice();
  const at = random.between(0, bytes.length - 1);
  changed[at] = changed[at]! ^ 1 << random.between(0, 7);
  return changed;
}

function removePart({ random, bytes }: Material): Uint8Array {
  const [start, end] = part(random, bytes, random.pick([1, 4, 40, bytes.length]));
  return replaced(bytes, start, end, new Uint8Array(0));
}

function repeatPart({ random, bytes }: Material): Uint8Array {
  const [start, end] = part(random, bytes, random.pick([1, 10, 100]));
  const once = bytes.subarray(start, end);
  const times = Math.min(random.pick([1, 1, 2, 10, 120]), LONGEST_INPUT / Math.max(1, once.length));
  return replaced(bytes, end, end, joined(Array.from({ length: times }, () => once)));
}

function movePart({ random, bytes }: Material): Uint8Array {
  const [start, end] = part(random, bytes, 40);
  const rest = replaced(bytes, start, end, new Uint8Array(0));
  const at = random.between(0, rest.length);
  return replaced(rest, at, at, bytes.subarray(start, end));
}

/** One octet so often that its run is as long as a limit, give or take one. */
function stretch({ random, bytes }: Material): Uint8Array {
  const at = random.between(0, Math.max(0, bytes.length - 1));
  const length = Math.max(
    1,
    random.pick(random.chance(0.9) ? LENGTHS : LARGE) + random.between(-1, 1),
  );
  return replaced(bytes, at, at, new Uint8Array(length).fill(bytes[at] ?? 65));
}

function splice({ random, bytes, others }: Material): Uint8Array {
  if (others.length === 0) return bytes;
  const other = random.pick(others);
  const tail = other.subarray(random.between(0, other.length));
  return replaced(bytes, random.between(0, bytes.length), bytes.length, tail);
}

function takePart({ random, bytes, others }: Material): Uint8Array {
  if (others.length === 0) return bytes;
  const other = random.pick(others);
  const [start, end] = part(random, other, 100);
  const at = random.between(0, bytes.length);
  return replaced(bytes, at, at, other.subarray(start, end));
}

function otherCase({ random, bytes }: Material): Uint8Array {
  const [start, end] = part(random, bytes, 20);
  const text = characters(bytes.subarray(start, end));
  return replaced(
    bytes,
    start,
    end,
    octets(text.replace(/[A-Za-z]/g, (c) => String.fromCharCode(c.charCodeAt(0) ^ 32))),
  );
}

function otherNumber({ random, bytes }: Material): Uint8Array {
  const numbers = [...characters(bytes).matchAll(/\d+/g)];
  if (numbers.length === 0) return bytes;
  const { index, 0: digits } = random.pick(numbers);
  const value = Number(digits);
  const other = random.pick([value + 1, value - 1, value * 10, -value, value / 2, 0, 256, 65536])
    .toString();
  return replaced(bytes, index, index + digits.length, octets(other));
}

function anyWord(random: Random, words: readonly string[]): Uint8Array {
  if (words.length > 0 && random.chance(0.5)) return octets(random.pick(words));
  if (random.chance(0.1)) return Uint8Array.of(random.between(0, 255), random.between(0, 255));
  return octets(random.pick(WORDS));
}

function part(random: Random, bytes: Uint8Array, most: number): [start: number, end: number] {
  const start = random.between(0, bytes.length);
  return [start, Math.min(bytes.length, start + random.between(1, Math.max(1, most)))];
}

function replaced(bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array {
  return joined([bytes.subarray(0, start), by, bytes.subarray(end)]);
}
