/** Golden conversations: files with lines of what each side says. README.md beside this has the format. */

import type { Service } from "../../src/config/service.ts";

export type Step =
  | { readonly kind: "client"; readonly bytes: Uint8Array }
  /** A pattern for one line. */
  | { readonly kind: "server"; readonly pattern: string }
  /** Any number of lines that begin like this, none too. */
  | { readonly kind: "server lines"; readonly start: string }
  | { readonly kind: "silence" }
  /** Both sides do the TLS handshake. */
  | { readonly kind: "handshake" }
  | { readonly kind: "server closes" }
  | { readonly kind: "client closes" };

export interface Message {
  readonly user: string;
  readonly text: Uint8Array;
  /** Patterns for the header fields on top, unfolded; one after `!` must match none. */
  readonly top: readonly string[];
  /** Patterns for the lines between those and the text, in order. */
  readonly added: readonly string[];
}

/** One entry of the queue. Its recipients wait together and have one text. */
export interface Waiting {
  /** In angle brackets, as all paths here. */
  readonly reversePath: string;
  readonly forwardPaths: readonly string[];
  readonly text: Uint8Array;
  /** As a message's. */
  readonly top: readonly string[];
  readonly added: readonly string[];
}

export interface Conversation {
  readonly name: string;
  /** Where it stands, for messages. */
  readonly place: string;
  readonly steps: readonly Step[];
  /** Everything that is in the mailboxes at the end, in order of arrival per user. */
  readonly messages: readonly Message[];
  /** Everything that waits in the queue at the end, in order of arrival. */
  readonly waiting: readonly Waiting[];
}

export interface Transcript {
  readonly file: string;
  /** Lines of mail.conf. */
  readonly settings: string;
  /** Further lines of user.conf. */
  readonly users: string;
  /** What the client connects to. */
  readonly service: Service;
  readonly conversations: readonly Conversation[];
}

const ALONE = "T: and A: lines want their M: or Q:";
const FOLDER = new URL("./", import.meta.url);

/** Every transcript of this folder, in the order of their names. */
export async function readTranscripts(): Promise<Transcript[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) if (name.endsWith(".smtp")) names.push(name);
  return await Promise.all(
    names.sort().map(async (name) =>
      parseTranscript(name, await Deno.readTextFile(new URL(name, FOLDER)))
    ),
  );
}

/** Throws for a line that is none of the format. */
export function parseTranscript(file: string, text: string): Transcript {
  const settings: string[] = [];
  const users: string[] = [];
  let service: Service = "smtp";
  const conversations: (Conversation & {
    steps: Step[];
    messages: Message[];
    waiting: Waiting[];
  })[] = [];
  let top: string[] = [];
  let added: string[] = [];
  text.split("\n").forEach((line, i) => {
    const place = `${file}:${i + 1}`;
    if (line.trim() === "" || line.startsWith("#")) return;
    const [, mark = "", value = ""] = /^(==|@|.:) ?(.*)$/.exec(line) ?? [];
    if (top.length + added.length > 0 && !/^[TAMQ]/.test(mark)) {
      throw new Error(`${place}: ${ALONE}`);
    }
    if (mark === "@") {
      const [, name = "", setting = ""] = /^(\w+) = (.*)$/.exec(value) ?? [];
      if (name === "SERVICE") return void (service = serviceOf(setting, place));
      return void (name === "USER" ? users.push(setting) : settings.push(value));
    }
    if (mark === "==") {
      return void conversations.push({ name: value, place, steps: [], messages: [], waiting: [] });
    }
    const conversation = conversations.at(-1);
    if (!conversation) throw new Error(`${place}: a conversation begins with ==`);
    const { steps, messages, waiting } = conversation;
    switch (mark) {
      case "C:":
        return void steps.push({ kind: "client", bytes: unescape(`${value}\\r\\n`) });
      case "c:":
        return void steps.push({ kind: "client", bytes: unescape(value) });
      case "S:":
        return void steps.push(...serverSteps(value));
      case "H:":
        return void steps.push({ kind: "handshake" });
      case "N:":
        return void steps.push({ kind: "silence" });
      case "E:":
        return void steps.push({ kind: "server closes" });
      case "X:":
        return void steps.push({ kind: "client closes" });
      case "T:":
        return void top.push(value);
      case "A:":
        return void added.push(value);
      case "M:": {
        const [, user = "", message = ""] = /^(\S+) ?(.*)$/.exec(value) ?? [];
        messages.push({ user: user.replaceAll("\\x20", " "), text: unescape(message), top, added });
        [top, added] = [[], []];
        return;
      }
      case "Q:": {
        const [, reversePath = "", forwardPaths = "", message = ""] =
          /^(<\S*>) (<\S+>) ?(.*)$/.exec(value) ?? [];
        if (forwardPaths === "") throw new Error(`${place}: Q: <from> <to>,<to> text`);
        waiting.push({
          reversePath: reversePath.replaceAll("\\x20", " "),
          // Between two paths, not in the middle of one.
          forwardPaths: forwardPaths.replaceAll("\\x20", " ").split(/(?<=>),(?=<)/),
          text: unescape(message),
          top,
          added,
        });
        [top, added] = [[], []];
        return;
      }
      default:
        throw new Error(`${place}: no such line: ${line}`);
    }
  });
  if (top.length + added.length > 0) throw new Error(`${file}: ${ALONE}`);
  return {
    file,
    settings: settings.join("\n"),
    users: users.join("\n"),
    service,
    conversations,
  };
}

function serviceOf(name: string, place: string): Service {
  if (name === "smtp" || name === "submission" || name === "submissions") return name;
  throw new Error(`${place}: no such service: ${name}`);
}

/** `250-...` is any number of lines, `{pattern*count}` so many of them, all else one. */
function serverSteps(value: string): Step[] {
  if (value.endsWith("-...")) return [{ kind: "server lines", start: value.slice(0, -3) }];
  const [, pattern = value, count = 1] = /^\{(.*)\*(\d+)\}$/.exec(value) ?? [];
  return Array(Number(count)).fill({ kind: "server", pattern });
}

/** `\r \n \t \0 \\ \xHH` are bytes, `{text*count}` is text so many times. */
function unescape(text: string): Uint8Array {
  const repeated = text.replace(/\{([^{}]+)\*(\d+)\}/g, (_, part, count) => part.repeat(count));
  const bytes: number[] = [];
  const escapes = /\\(?:x([0-9A-Fa-f]{2})|([rnt0\\]))|[^\\]/gsu;
  let at = 0;
  for (const match of repeated.matchAll(escapes)) {
    if (match.index !== at) throw new Error(`no such escape in ${text}`);
    at += match[0].length;
    const [all, hex, letter] = match;
    if (hex !== undefined) bytes.push(parseInt(hex, 16));
    else if (letter !== undefined) bytes.push({ r: 13, n: 10, t: 9, "0": 0, "\\": 92 }[letter]!);
    else bytes.push(...new TextEncoder().encode(all));
  }
  if (at !== repeated.length) throw new Error(`no such escape in ${text}`);
  return Uint8Array.from(bytes);
}

/** Whether a line is as the pattern wants it: `*` stands for any text. */
export function matches(pattern: string, line: string): boolean {
  const expression = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${expression.join(".*")}$`, "s").test(line);
}
