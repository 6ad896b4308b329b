/** aiosmtpd (Python), with a handler that keeps mail as durably as the others do. */

import { find } from "../../support/programs.ts";
import { startScript } from "./keeper.ts";
import type { Kind } from "./peer.ts";
import { firstLine, succeeds } from "./program.ts";

const python = find("python3") ?? "python3";

export const aiosmtpd: Kind = {
  name: "aiosmtpd",
  missing: () => {
    if (find("python3") === undefined) return "python3 is not installed (Debian: python3-aiosmtpd)";
    if (succeeds(python, "-c", "import aiosmtpd")) return undefined;
    return `${python} has no aiosmtpd (Debian: python3-aiosmtpd)`;
  },
  version: () => firstLine(python, "-c", "import aiosmtpd; print(aiosmtpd.__version__)"),
  relays: false,
  start: (setup) => startScript(python, "aiosmtpd_peer.py", setup),
};
