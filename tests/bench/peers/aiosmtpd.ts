/** aiosmtpd (Python), with a handler that keeps mail as durably as the others do. */

import { freePort } from "../../support/free_port.ts";
import { find } from "../../support/programs.ts";
import { makeMaildirs } from "./maildirs.ts";
import type { Kind } from "./peer.ts";
import { firstLine, startProgram, succeeds } from "./program.ts";

const python = find("python3") ?? "python3";
const SCRIPT = new URL("aiosmtpd_peer.py", import.meta.url).pathname;

export const aiosmtpd: Kind = {
  name: "aiosmtpd",
  missing: () => {
    if (find("python3") === undefined) return "python3 is not installed (Debian: python3-aiosmtpd)";
    if (succeeds(python, "-c", "import aiosmtpd")) return undefined;
    return `${python} has no aiosmtpd (Debian: python3-aiosmtpd)`;
  },
  version: () => firstLine(python, "-c", "import aiosmtpd; print(aiosmtpd.__version__)"),
  relays: false,
  async start({ folder, mailboxes }) {
    const port = freePort();
    await makeMaildirs(`${folder}/mail`, mailboxes);
    const running = await startProgram({
      command: [python, SCRIPT, String(port), `${folder}/mail`],
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
