/** Words of a header that stand there encoded: `=?utf-8?Q?J=C3=B6rg?=` (RFC 2047). */

/** A word whose character set or encoding nobody here can read. */
export class EncodedWordError extends Error {
  override name = "EncodedWordError";
}

/**
 * What the encoded words in a text say, each by itself; blanks are let through in them, as some readers
 * do. `text` holds one octet in each character. Takes time in proportion to its length. Throws
 * EncodedWordError, also where readers do not agree on what a word is.
 */
export function* encodedWords(text: string): Generator<string, void, undefined> {
  for (let at = text.indexOf("=?"); at >= 0; at = text.indexOf("=?", at)) {
    const mark = text.indexOf("?", at + 2);
    const encoding = /^\?([bq])\?$/i.exec(text.slice(mark, mark + 3))?.[1];
    if (mark < 0) return;
    if (!encoding) {
      at += 2;
      continue;
    }
    const end = text.indexOf("?=", mark + 3);
    if (end < 0) return;
    // A language may follow the character set (RFC 2231 5).
    const [charset = ""] = text.slice(at + 2, mark).split("*");
    yield decode(charset, encoding.toUpperCase(), text.slice(mark + 3, end));
    at = end + 2;
  }
}

function decode(charset: string, encoding: string, text: string): string {
  // Where one word seems to hold the start of another, readers part them in different places.
  if (text.includes("=?")) throw new EncodedWordError("an encoded word holds another one");
  const octets = encoding === "Q" ? decodeQ(text) : decodeB(text);
  const bytes = Uint8Array.from(octets, (octet) => octet.charCodeAt(0));
  try {
    // In most character sets a word that is cut within a character says something else with the next one.
    const fatal = !/^utf-?8$/i.test(charset);
    return new TextDecoder(charset, { fatal }).decode(bytes);
  } catch {
    throw new EncodedWordError("an encoded word cannot be read in its character set");
  }
}

function decodeQ(text: string): string {
  return text.replaceAll("_", " ").replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => {
    return String.fromCharCode(parseInt(hex, 16));
  });
}

function decodeB(text: string): string {
  const base64 = text.replaceAll(" ", "");
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw new EncodedWordError("an encoded word is no base64");
  }
  return atob(base64);
}
