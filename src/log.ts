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
    sinks: { out: (record) => write(line(record)) },
    loggers: [
      { category: ["denosmtpd"], lowestLevel: LEVELS[level], sinks: ["out"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  const logger = getLogger(["denosmtpd"]);
  // Braces in a message would be placeholders to the library; event names are ours and have none.
  return {
    debug: (event, fields) => logger.debug(event, fields),
    info: (event, fields) => logger.info(event, fields),
    warn: (event, fields) => logger.warn(event, fields),
    error: (event, fields) => logger.error(event, fields),
  };
}

/** The same to a writer, which tells here when it has lost lines. */
export function logTo(writer: LineWriter, level: Level, format: Format): Log {
  const log = startLog(level, format, (line) => writer.write(line));
  writer.lost = (lines) => log.warn("log lines lost", { lines });
  return log;
}

function parts(record: LogRecord): [time: string, level: string, event: string, fields: Fields] {
  const level = record.level === "warning" ? "warn" : record.level;
  return [
    new Date(record.timestamp).toISOString(),
    level,
    record.message.join(""),
    record.properties as Fields,
  ];
}

function textLine(record: LogRecord): string {
  const [time, level, event, fields] = parts(record);
  let line = `${time} ${level} ${event}`;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${name}=${textValue(value)}`;
  }
  return line + "\n";
}

function jsonLine(record: LogRecord): string {
  const [time, level, event, fields] = parts(record);
  return escapeControls(JSON.stringify({ time, level, event, ...fields })) + "\n";
}

/** Values that could be taken for something else, or hold more than visible ASCII, stand in quotes. */
function textValue(value: LogValue): string {
  const text = Array.isArray(value) ? value.join(",") : String(value);
  return /^[!#-<>-~]+$/.test(text) ? text : escapeControls(JSON.stringify(text));
}
