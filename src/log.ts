/**
 * One line per event, for people (`time level event key=value …`) or as JSON.
 * The only file that knows the logging library.
 */

import { configureSync, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";
import type { LineWriter } from "./line_writer.ts";
import { escapeControls } from "./printable.ts";

export type Level = "debug" | "info" | "warn" | "error";
export type Format = "text" | "json";

/** What an event tells besides its name. Undefined values are left out. */
export type Fields = Readonly<Record<string, LogValue | undefined>>;
type LogValue = string | number | boolean | readonly string[];

/** Takes events. Hand this to whatever has something to tell. */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
}

const LEVELS: Readonly<Record<Level, LogLevel>> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
};

/**
 * Starts logging from `level` upwards. A logger of the same thread started earlier is replaced.
 * `write` takes one line with its end.
 */
export function startLog(level: Level, format: Format, write: (line: string) => void): Log {
  const line = format === "json" ? jsonLine : textLine;
  configureSync({
    reset: true,
    sinks: { out: (record) => write(line(record, told)) },
    loggers: [
      { category: ["denosmtpd"], lowestLevel: LEVELS[level], sinks: ["out"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  const logger = getLogger(["denosmtpd"]);
  // Braces in a message would be placeholders to the library; event names are ours and have none.
  const tell = (level: Level, event: string, fields: Fields = {}) => {
    told = fields;
    logger[level](event);
  };
  return {
    debug: (event, fields) => tell("debug", event, fields),
    info: (event, fields) => tell("info", event, fields),
    warn: (event, fields) => tell("warn", event, fields),
    error: (event, fields) => tell("error", event, fields),
  };
}

/** What the event of the moment tells. The library copies what it is given, at more than a line's cost. */
let told: Fields = {};

/** The same to a writer, which tells here when it has lost lines. */
export function logTo(writer: LineWriter, level: Level, format: Format): Log {
  const log = startLog(level, format, (line) => writer.write(line));
  writer.lost = (lines) => log.warn("log lines lost", { lines });
  return log;
}

/**
 * Characters of a value. Journals cut lines that are too long for them, and what a client said would
 * begin a line of its own there.
 */
const MOST = 500;

/** Time, level and event. */
function parts({ timestamp, level, message }: LogRecord): [string, string, string] {
  return [printTime(timestamp), level === "warning" ? "warn" : level, message.join("")];
}

/** The second that was printed last, as lines mostly begin alike. */
let printed = { second: NaN, text: "" };

/** `2026-11-22T15:04:05.678Z`; `time` is in milliseconds since 1970. */
function printTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== printed.second) {
    printed = { second, text: new Date(second * 1000).toISOString().slice(0, -4) };
  }
  return `${printed.text}${String(Math.floor(time) - second * 1000).padStart(3, "0")}Z`;
}

function shortened(value: LogValue): LogValue {
  if (typeof value === "string") {
    const rest = value.length - MOST;
    return rest > 0 ? `${value.slice(0, MOST)}... and ${rest} more` : value;
  }
  return isList(value) ? shortenedList(value) : value;
}

/** As many as there is room for, but the first one in any case, and how many there are besides. */
function shortenedList(items: readonly string[]): readonly string[] {
  let length = 0;
  const kept = items.findIndex((item) => (length += item.length + 1) > MOST);
  if (kept < 0) return items;
  const most = Math.max(1, kept);
  const some = items.slice(0, most).map((item) => String(shortened(item)));
  return most < items.length ? [...some, `and ${items.length - most} more`] : some;
}

function isList(value: LogValue): value is readonly string[] {
  return Array.isArray(value);
}

function textLine(record: LogRecord, fields: Fields): string {
  let line = parts(record).join(" ");
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) line += ` ${name}=${textValue(shortened(value))}`;
  }
  return line + "\n";
}

function jsonLine(record: LogRecord, fields: Fields): string {
  const [time, level, event] = parts(record);
  const line: Record<string, LogValue> = { time, level, event };
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined) line[name] = shortened(value);
  }
  return escapeControls(JSON.stringify(line)) + "\n";
}

/** Values that could be taken for something else, or hold more than visible ASCII, stand in quotes. */
function textValue(value: LogValue): string {
  const text = typeof value === "string" ? value : isList(value) ? value.join(",") : String(value);
  return /^[!#-<>-~]+$/.test(text) ? text : escapeControls(JSON.stringify(text));
}
