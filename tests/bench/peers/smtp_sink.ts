/** smtp-sink (Debian: postfix), which keeps nothing: how fast mail can be sent here at all. */

import { freePort } from "../../support/free_port.ts";
import { startNextHop } from "../next_hop.ts";
import type { Kind } from "./peer.ts";
import { postfix } from "./postfix.ts";

export const smtpSink: Kind = {
  name: "smtp-sink",
  // Whoever has Postfix has it.
  missing: () => undefined,
  version: () => postfix.version(),
  relays: false,
  async start({ folder }) {
    const port = freePort();
    const sink = await startNextHop(port, `${folder}/log`);
    return {
      port,
      pid: sink.pid,
      mailbox: () => undefined,
      retry: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
    };
  },
};
