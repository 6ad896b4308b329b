/** A log that keeps what it is told, and when. */

import type { Fields, Level, Log } from "../../src/log.ts";

export interface Entry {
  /** Milliseconds since the world began. */
  readonly time: number;
  readonly level: Level;
  readonly event: string;
  readonly fields: Fields;
}

export class Journal implements Log {
  readonly all: Entry[] = [];
  readonly #time: () => number;

  readonly debug = this.#take("debug");
  readonly info = this.#take("info");
  readonly warn = this.#take("warn");
  readonly error = this.#take("error");

  /** `time` is the time for the entries. */
  constructor(time: () => number) {
    this.#time = time;
  }

  of(...events: readonly string[]): Entry[] {
    return this.all.filter(({ event }) => events.includes(event));
  }

  /** The last entries that a text is in, for people: `0d 00:05:00 info message sent …`. */
  tail(about = "", lines = 60): string {
    return this.all.map(({ time, level, event, fields }) => {
      const clock = new Date(time).toISOString().slice(11, 23);
      return `${Math.floor(time / 86_400_000)}d ${clock} ${level} ${event} ${
        JSON.stringify(fields)
      }`;
    }).filter((line) => line.includes(about)).slice(-lines).join("\n");
  }

  #take(level: Level) {
    return (event: string, fields: Fields = {}): void => {
      this.all.push({ time: this.#time(), level, event, fields });
    };
  }
}
