/** Python's smtplib sends, announcing SIZE always and BODY=8BITMIME where it applies. */

import { succeed } from "../support/programs.ts";
import { testPeer } from "./peer.ts";

const SCRIPT = new URL("smtplib_send.py", import.meta.url).pathname;

testPeer({
  name: "Python's smtplib",
  needs: ["python3"],
  protocol: "ESMTP",
  async send({ host, port, from, to, text }) {
    await succeed("python3", ["-I", SCRIPT, host, String(port), from, ...to], { input: text });
  },
});
