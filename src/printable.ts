/** Text that a terminal takes for nothing but text. */

/**
 * Line separators, and whatever has no look of its own but changes that of the rest, such as marks of
 * direction and blanks of no width; as a class of a regular expression.
 */
const UNSEEN = String.raw`\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}`;

const UNTOLD_BY_JSON = new RegExp(`[\\x7f-\\x9f${UNSEEN}]`, "gu");
const STEERING = new RegExp(`[\\p{Cc}${UNSEEN}](?<!\\t)`, "gu");

/** Escapes what JSON lets through, as JSON does: DEL, C1 controls, and what is not seen. */
export function escapeControls(text: string): string {
  return text.replace(UNTOLD_BY_JSON, escaped);
}

/** A line of a stranger's, with a question mark for each character that steers a terminal or hides. */
export function tamed(line: string): string {
  return line.replace(STEERING, "?");
}

/** The same for text that is not JSON, in which controls stand as they are; for a single line. */
export function printable(line: string): string {
  // deno-lint-ignore no-control-regex
  return escapeControls(line.replace(/[\x00-\x1f]/g, escaped));
}

/** Some of them are two units of UTF-16. */
function escaped(character: string): string {
  return character.split("").map((unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  }).join("");
}
