/** What a client hears that is not let in. */

import { encodeReply, type Reply } from "../smtp/reply.ts";
import { lastWait } from "./last_wait.ts";
import { close, isConnectionEnd, type Socket } from "./socket.ts";

const encoder = new TextEncoder();

/** Tells the client why, and closes; one that is gone already is no error. */
export async function turnAway(socket: Socket, reply: Reply): Promise<void> {
  try {
    await lastWait(socket, encoder.encode(encodeReply(reply)));
  } catch (error) {
    if (!isConnectionEnd(error)) throw error;
  } finally {
    close(socket);
  }
}
