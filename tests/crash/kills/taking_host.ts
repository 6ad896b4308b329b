/** A mail host elsewhere: it takes whatever comes, tells of each message, and keeps none. */

import { type MailHost, type Peer, startMailHost } from "../../support/mail_host.ts";
import { findNumberedText, type Found } from "../numbered_text.ts";

/** What was taken for whom; the forward-paths are without their angle brackets. */
export type Took = (found: Found, forwardPaths: readonly string[]) => void;

/** `took` hears of a message when it was answered 250: from then on it is this host's. */
export function startTakingHost(
  address: { readonly hostname: string; readonly port: number },
  took: Took,
): MailHost {
  return startMailHost(address, (peer) => converse(peer, took));
}

async function converse(peer: Peer, took: Took): Promise<void> {
  let to: string[] = [];
  await peer.say("220 elsewhere.test ESMTP\r\n");
  for (;;) {
    const command = await peer.hear();
    if (command === "QUIT") return await peer.say("221 Bye\r\n");
    if (command.startsWith("EHLO ")) {
      await peer.say("250-elsewhere.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n");
      continue;
    }
    if (command.startsWith("MAIL ")) to = [];
    if (command.startsWith("RCPT ")) to.push(/<(.*)>/.exec(command)![1]!);
    if (command !== "DATA") {
      await peer.say("250 OK\r\n");
      continue;
    }
    await peer.say("354 Go on\r\n");
    // The end of the DATA line begins the first line of the text too.
    const text = `\r\n${await peer.hear("\r\n.\r\n")}\r\n`.replaceAll("\r\n.", "\r\n").slice(2);
    await peer.say("250 Taken\r\n");
    took(findNumberedText(new TextEncoder().encode(text), "\r\n"), to);
  }
}
