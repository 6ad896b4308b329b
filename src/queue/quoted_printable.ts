/** The quoted-printable encoding of MIME (RFC 2045 6.7): any octets as lines of ASCII. */

/** Octets of an encoded line, its soft line break with it. */
const MAX_LINE = 76;

/**
 * Encodes a text that has one character for each octet. CR LF are its line ends and stay; a lone CR
 * or LF is encoded. What it reads back to is the very same text.
 */
export function quotedPrintable(text: string): string {
  return text.split("\r\n").map(encodeLine).join("\r\n");
}

function encodeLine(line: string): string {
  const units = Array.from(line, (character, i) => encode(character, i === line.length - 1));
  let result = "";
  let width = 0;
  units.forEach((unit, i) => {
    // The last one needs no room for a soft line break behind it.
    const room = i === units.length - 1 ? MAX_LINE : MAX_LINE - 1;
    if (width + unit.length > room) {
      result += "=\r\n";
      width = 0;
    }
    result += unit;
    width += unit.length;
  });
  return result;
}

/** A blank at the end of a line would not arrive everywhere. */
function encode(character: string, last: boolean): string {
  const plain = /[!-<>-~]/.test(character) || (/[ \t]/.test(character) && !last);
  if (plain) return character;
  return `=${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
