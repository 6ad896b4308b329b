/** smtp-server of Nodemailer (Node), with a handler that keeps mail as durably as the others do. */

import { find } from "../../support/programs.ts";
import { startScript } from "./keeper.ts";
import type { Kind } from "./peer.ts";
import { firstLine, succeeds } from "./program.ts";

const node = find("node") ?? "node";

export const smtpServer: Kind = {
  name: "smtp-server",
  missing: () => {
    if (find("node") === undefined) return "node is not installed (Debian: nodejs)";
    if (succeeds(node, "-e", "require('smtp-server')")) return undefined;
    return "node has no smtp-server (npm install smtp-server, NODE_PATH=.../node_modules)";
  },
  version: () => firstLine(node, "-p", "require('smtp-server/package.json').version"),
  relays: false,
  start: (setup) => startScript(node, "smtp_server_peer.cjs", setup),
};
