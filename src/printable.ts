/** Text that a terminal takes for nothing but text. */

/**
 * Escapes what JSON lets through, as JSON does: DEL, C1 controls, line separators, and whatever has no
 * look of its own but changes that of the rest, such as marks of direction and blanks of no width.
 */
export function escapeControls(text: string): string {
  return text.replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
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
