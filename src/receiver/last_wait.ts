/** The end of a connection from this side, so that the peer comes to see what was said last. */

import { close, type Socket, writeAll } from "./socket.ts";

/** Milliseconds given to the peer to take it and close. */
export const LAST_WAIT = 1000;

/** Octets that are taken of a peer that goes on sending. Beyond that it may lose the last word. */
const MOST = 1024 * 1024;

const NOTHING = new Uint8Array(0);
/** Where all of it goes, whoever sends it: nobody reads it. */
const rest = new Uint8Array(64 * 1024);

/**
 * Says a farewell, if any, ends writing, and waits for the peer to end too: closing while something
 * of its is unread would reset the connection and take the last word with it. A peer that does not
 * read, or does not end, is closed in time. Rejects where the connection breaks, or is closed for that.
 */
export async function lastWait(socket: Socket, farewell = NOTHING): Promise<void> {
  // Under TLS the end is something to write as well, for which there may be no room.
  const timer = setTimeout(() => close(socket), LAST_WAIT);
  try {
    await writeAll(socket, farewell);
    await socket.closeWrite();
    for (let taken = 0; taken < MOST;) {
      const length = await socket.read(rest);
      if (length === null) return;
      taken += length;
    }
  } finally {
    clearTimeout(timer);
  }
}
