/** curl sends mail from its standard input. */

import { succeed } from "../support/programs.ts";
import { testPeer } from "./peer.ts";

testPeer({
  name: "curl",
  needs: ["curl"],
  protocol: "ESMTP",
  async send({ host, port, from, to, text }) {
    const server = host.includes(":") ? `[${host}]` : host;
    // The path of the URL is the argument of EHLO.
    const args = ["--silent", "--show-error", `smtp://${server}:${port}/client.example`];
    args.push("--mail-from", from, ...to.flatMap((one) => ["--mail-rcpt", one]));
    await succeed("curl", [...args, "--noproxy", "*", "--upload-file", "-"], { input: text });
  },
});
