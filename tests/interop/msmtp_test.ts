/** msmtp, a sendmail for machines without a mail server, sends. */

import { succeed } from "../support/programs.ts";
import { testPeer } from "./peer.ts";

testPeer({
  name: "msmtp",
  needs: ["msmtp"],
  protocol: "ESMTP",
  cannot: {
    "a quoted local-part": "msmtp drops the quotes of a recipient",
    "to an IPv6 address literal": "msmtp takes the colons of a recipient for a group",
  },
  async send({ host, port, from, to, text }) {
    const args = [`--host=${host}`, `--port=${port}`, "--domain=client.example", "--timeout=20"];
    args.push(`--from=${from}`, "--auth=off", "--tls=off");
    // Nothing is to be added to the message.
    args.push("--set-from-header=off", "--set-date-header=off");
    await succeed("msmtp", [...args, "--", ...to], { input: withLf(text) });
  },
});

/** As programs pipe mail into a sendmail. */
function withLf(text: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return text.filter((octet) => octet !== 13);
}
