/** Texts that show whether they are whole: every octet of one follows from its name and its size. */

/** Characters of a line that is not the last, without its end. */
const LINE = 68;

/**
 * A text of `size` octets or up to a line more, its name in the Subject. Names are made of letters,
 * digits and hyphens. Some lines begin with a period.
 */
export function numberedText(name: string, size: number, lineEnd = "\r\n"): string {
  const lines = [`Subject: ${name} ${size}`, ""];
  for (let length = lines[0]!.length + 4, i = 0; length < size; length += LINE + 2, i++) {
    lines.push(`${i % 7 === 0 ? "." : "_"}${name} ${i} `.padEnd(LINE, "the quick brown fox "));
  }
  return lines.join(lineEnd) + lineEnd;
}

export interface Found {
  /** "" where not even that could be found. */
  readonly name: string;
  readonly whole: boolean;
}

/** What a stored text is, whatever header fields were put above it on its way. */
export function findNumberedText(stored: Uint8Array, lineEnd: "\r\n" | "\n"): Found {
  const text = new TextDecoder().decode(stored);
  const start = text.startsWith("Subject: ") ? 0 : text.indexOf(`${lineEnd}Subject: `);
  const rest = start > 0 ? text.slice(start + lineEnd.length) : text;
  const [, name = "", size] = /^Subject: ([\w-]+) (\d+)\r?\n/.exec(rest) ?? [];
  return { name, whole: size !== undefined && rest === numberedText(name, Number(size), lineEnd) };
}
