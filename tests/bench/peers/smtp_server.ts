/** smtp-server of Nodemailer (Node), with a handler that keeps mail as durably as the others do. */

import { freePort } from "../../support/free_port.ts";
import { find } from "../../support/programs.ts";
import { makeMaildirs } from "./maildirs.ts";
import type { Kind } from "./peer.ts";
import { firstLine, startProgram, succeeds } from "./program.ts";

const node = find("node") ?? "node";
const SCRIPT = new URL("smtp_server_peer.cjs", import.meta.url).pathname;

export const smtpServer: Kind = {
  name: "smtp-server",
  missing: () => {
    if (find("node") === undefined) return "node is not installed (Debian: nodejs)";
    if (succeeds(node, "-e", "require('smtp-server')")) return undefined;
    return "node has no smtp-server (npm install smtp-server, NODE_PATH=.../node_modules)";
  },
  version: () => firstLine(node, "-p", "require('smtp-server/package.json').version"),
  relays: false,
  async start({ folder, mailboxes }) {
    const port = freePort();
    await makeMaildirs(`${folder}/mail`, mailboxes);
    const running = await startProgram({
      command: [node, SCRIPT, String(port), `${folder}/mail`],
      port,
      log: `${folder}/log`,
    });
    return {
      port,
      pid: running.pid,
      mailbox: (localPart) => `${folder}/mail/${localPart}`,
      retry: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    };
  },
};
