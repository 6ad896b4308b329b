/** A last word to a client that is not let in. */

import { encodeReply, type Reply } from "../smtp/reply.ts";
import { close, isConnectionEnd, type Socket, writeAll } from "./socket.ts";

/** Milliseconds given to the peer to take it and close. */
const LAST_WAIT = 1000;

const encoder = new TextEncoder();

/** Tells the client why, and closes; one that is gone already is no error. */
export async function turnAway(socket: Socket, reply: Reply): Promise<void> {
  const timer = setTimeout(() => close(socket), LAST_WAIT);
  try {
    await writeAll(socket, encoder.encode(encodeReply(reply)));
    await socket.closeWrite();
    const rest = new Uint8Array(512);
    while (await socket.read(rest) !== null);
  } catch (error) {
    if (!isConnectionEnd(error)) throw error;
  } finally {
    clearTimeout(timer);
    close(socket);
  }
}
