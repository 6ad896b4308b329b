/** The end of a connection from this side, so that the peer comes to see what was said last. */

import { close, type Socket, writeAll } from "./socket.ts";

/** Milliseconds given to the peer to take it and close. */
export const LAST_WAIT = 1000;

const NOTHING = new Uint8Array(0);

/**
 * Says a farewell, if any, ends writing, and waits for the peer to end too: closing while something
 * of its is unread would reset the connection and take the last word with it. A peer that does not
 * read is closed in time. Rejects where the connection breaks, or is closed for that.
 */
export async function lastWait(socket: Socket, farewell = NOTHING): Promise<void> {
  // Under TLS the end is something to write as well, for which there may be no room.
  const timer = setTimeout(() => close(socket), LAST_WAIT);
  try {
    await writeAll(socket, farewell);
    await socket.closeWrite();
    const rest = new Uint8Array(512);
    while (await socket.read(rest) !== null);
  } finally {
    clearTimeout(timer);
  }
}
