/** Text that a terminal takes for nothing but text. */

/**
 * Escapes what JSON lets through, as JSON does: DEL, C1 controls, line separators, marks and changes
 * of direction, and the mark of no width that a file may begin with.
 */
export function escapeControls(text: string): string {
  return text.replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    escaped,
  );
}

/** The same for text that is not JSON, in which controls stand as they are; for a single line. */
export function printable(line: string): string {
  // deno-lint-ignore no-control-regex
  return escapeControls(line.replace(/[\x00-\x1f]/g, escaped));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
