/** Lines of a report: no longer than people read and mail permits, and with nothing in them that is no text. */

/** Columns of a line for people. */
const WIDTH = 72;
/** Octets of one word or value, which leave room on the line for what stands before it. */
const MAX_WORD = 900;
const WORDS = new RegExp(`[^ ]{1,${MAX_WORD}}`, "g");

/** Each item on a line of its own; what is empty or false is left out. */
export function lines(...items: readonly (string | false | undefined)[]): string {
  return items.filter((item) => typeof item === "string" && item !== "")
    .map((line) => `${line}\r\n`).join("");
}

/** A field of a header, on one line. */
export function field(name: string, value: string): string {
  return `${name}: ${inert(value)}`;
}

/** The text on one line, whatever it holds. */
export function inert(text: string): string {
  return printable(text).slice(0, MAX_WORD);
}

/** The text in lines of whole words; only a word that no line could hold is broken. */
export function wrapped(text: string): string[] {
  const result: string[] = [];
  let line = "";
  for (const word of printable(text).match(WORDS) ?? []) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      result.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return line === "" ? result : [...result, line];
}

/** The text with `?` for all that is not printable ASCII. */
export function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?");
}
