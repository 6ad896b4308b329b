/**
 * Who a field says has written or sent a message: the body of From, Sender, Resent-From or
 * Resent-Sender (RFC 5322 3.4, 3.6.2, 3.6.6).
 *
 * Whoever holds such a field against a login must see in it what every reader will. So what readers
 * are known to take differently is no address here, though RFC 5322 may allow it: comments and
 * blanks beside an `@`, local-parts put together of several words, source routes, empty places in a
 * list, and groups, which name authors by a detour or none at all (RFC 6854 4 warns of them, too).
 */

import { type Mailbox, parseMailbox, PathError } from "./address.ts";
import { Cursor } from "./cursor.ts";
import { EncodedWordError, encodedWords } from "./encoded_word.ts";

/** A body that cannot be read for certain. The message says why in words fit for a reply. */
export class AuthorError extends Error {
  override name = "AuthorError";
}

/** Comments within comments; readers have their bounds too. */
const MOST_NESTED = 16;

const BLANKS = /[\t ]+/y;
/** An atom's characters, in a name also octets above 127: many clients send them bare. */
const WORD = /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\uffff]/;
/** The same with the periods of a dot-atom, or of a name (obs-phrase, RFC 5322 4.1). */
const WORDS = /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\uffff.]+/y;
/** What a quoted-string or a comment may hold. */
const TEXT = /[\t -~\x80-\uffff]/;
const DOMAIN = /[A-Za-z0-9.-]+/y;
const LITERAL = /[!-\\^-~]+/y;
const ASCII = /^[ -~]*$/;

/** Octets that are made characters at once. */
const PIECE = 4096;

/**
 * The mailboxes that a field's body names, one at least, in their order. `body` is what follows the
 * colon, without the CR LF at its end, folded or not. Takes time in proportion to its length.
 * Throws AuthorError.
 */
export function parseAuthors(body: Uint8Array): readonly Mailbox[] {
  const text = unfold(body);
  const isEncoded = hasEncodedWords(text);
  const cursor = new Cursor(text);
  const authors: Mailbox[] = [];
  do authors.push(readAuthor(cursor)); while (cursor.accept(","));
  if (!cursor.done) throw new AuthorError("something stands behind an address");
  // Decoded, a word may be what ends a quoted-string or a comment.
  if (isEncoded && text.split("@").length > authors.length + 1) {
    throw new AuthorError("an @ stands in a name with encoded words");
  }
  return authors;
}

/**
 * Each octet one character, unfolded (RFC 5322 2.2.3). TextDecoder's "latin1" is another character
 * set: it would make other octets of some within an encoded word.
 */
function unfold(body: Uint8Array): string {
  let text = "";
  for (let at = 0; at < body.length; at += PIECE) {
    text += String.fromCharCode(...body.subarray(at, at + PIECE));
  }
  return text.replace(/\r\n(?=[\t ])/g, "");
}

/** There are readers that decode a name first and look for addresses then, so none may hide in one. */
function hasEncodedWords(text: string): boolean {
  let some = false;
  try {
    for (const word of encodedWords(text)) {
      if (word.includes("@")) throw new AuthorError("an encoded name holds an @");
      some = true;
    }
    return some;
  } catch (error) {
    throw error instanceof EncodedWordError ? new AuthorError(error.message) : error;
  }
}

/** `a@b`, `<a@b>` or `name <a@b>`, with comments and blanks around. */
function readAuthor(cursor: Cursor): Mailbox {
  skipComments(cursor);
  const author = readMailbox(cursor);
  skipComments(cursor);
  return author;
}

function readMailbox(cursor: Cursor): Mailbox {
  const start = cursor.at;
  for (let words = 0; cursor.peek() !== "<"; words++) {
    readWord(cursor, words > 0);
    if (cursor.peek() === "@") {
      if (words > 0) throw new AuthorError("an @ in a name must stand in quotes");
      return readDomain(cursor, start);
    }
    skipComments(cursor);
  }
  return readAngleAddress(cursor);
}

/** A quoted-string, or a run of atoms and periods; only a `later` word of a name begins with one. */
function readWord(cursor: Cursor, later: boolean): void {
  const next = cursor.peek();
  if (next === '"') skipQuotedString(cursor);
  else if (WORD.test(next) || later && next === ".") cursor.run(WORDS);
  else if (next === "" || next === ",") throw new AuthorError("an address is missing");
  else if (next === ":") throw new AuthorError("a group cannot be an author");
  else throw new AuthorError("a special character must stand in quotes");
}

/** Blanks may stand inside of the brackets, for they may be folded there, but nothing else. */
function readAngleAddress(cursor: Cursor): Mailbox {
  cursor.next();
  cursor.run(BLANKS);
  const start = cursor.at;
  if (cursor.peek() === '"') skipQuotedString(cursor);
  else cursor.run(WORDS);
  if (cursor.at === start || cursor.peek() !== "@") {
    throw new AuthorError("between < and > one address must stand alone");
  }
  const author = readDomain(cursor, start);
  cursor.run(BLANKS);
  if (!cursor.accept(">")) throw new AuthorError("the address does not end in >");
  return author;
}

/** From the `@` on, of an addr-spec that began at `start`. */
function readDomain(cursor: Cursor, start: number): Mailbox {
  cursor.next();
  if (cursor.peek() !== "[") cursor.run(DOMAIN);
  else {
    cursor.run(LITERAL);
    cursor.accept("]");
  }
  const text = cursor.text.slice(start, cursor.at);
  if (!ASCII.test(text)) throw new AuthorError("an address is ASCII only");
  // An encoded-word is no part of one (RFC 2047 5), yet there are readers that decode it there.
  if (text.includes("=?")) throw new AuthorError("an address is not encoded");
  try {
    return parseMailbox(text);
  } catch (error) {
    throw error instanceof PathError ? new AuthorError(error.message) : error;
  }
}

function skipQuotedString(cursor: Cursor): void {
  cursor.next();
  while (!cursor.accept('"')) skipText(cursor, "a quoted string does not end");
}

/** CFWS (RFC 5322 3.2.2). */
function skipComments(cursor: Cursor): void {
  cursor.run(BLANKS);
  while (cursor.accept("(")) {
    skipComment(cursor);
    cursor.run(BLANKS);
  }
}

/** What follows an opening parenthesis, to the one that closes it. */
function skipComment(cursor: Cursor): void {
  for (let depth = 1; depth > 0;) {
    if (cursor.accept(")")) depth--;
    else if (!cursor.accept("(")) skipText(cursor, "a comment does not end");
    else if (++depth > MOST_NESTED) throw new AuthorError("too many comments in each other");
  }
}

/** One character, or one with its backslash. */
function skipText(cursor: Cursor, unended: string): void {
  cursor.accept("\\");
  const character = cursor.next();
  if (character === "") throw new AuthorError(unended);
  if (!TEXT.test(character)) throw new AuthorError("a control character");
}
