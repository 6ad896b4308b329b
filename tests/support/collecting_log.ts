/** A log that keeps what it is told. */

import type { Fields, Level, Log } from "../../src/log.ts";

export interface Told {
  readonly level: Level;
  readonly event: string;
  readonly fields: Fields;
}

export class CollectingLog implements Log {
  readonly all: Told[] = [];

  readonly debug = this.#take("debug");
  readonly info = this.#take("info");
  readonly warn = this.#take("warn");
  readonly error = this.#take("error");

  /** What was told of this event, in order. */
  fieldsOf(event: string): Fields[] {
    return this.all.filter((told) => told.event === event).map(({ fields }) => fields);
  }

  #take(level: Level) {
    return (event: string, fields: Fields = {}): void => {
      this.all.push({ level, event, fields });
    };
  }
}
