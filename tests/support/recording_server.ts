/** A mail server that takes everything and remembers what was said to it, byte for byte. */

import { type MailHost, type Peer, startMailHost } from "./mail_host.ts";

/** What came over one connection. */
export interface Conversation {
  /** As they were written, without their line ends. */
  readonly commands: string[];
  /** Without the periods that make them transparent, and without the one that ends each. */
  readonly texts: Uint8Array[];
}

export interface RecordingServer extends MailHost {
  readonly conversations: readonly Conversation[];
}

export interface RecordingOptions {
  readonly hostname: string;
  readonly port: number;
  /** What EHLO announces. */
  readonly keywords?: readonly string[];
  /** A reply other than the usual one; the command is in upper case, the end of a text is ".". */
  readonly reply?: (command: string) => string | undefined;
}

const KEYWORDS = ["PIPELINING", "8BITMIME", "SIZE 0"];

export function startRecordingServer(options: RecordingOptions): RecordingServer {
  const { keywords = KEYWORDS, reply = () => undefined } = options;
  const conversations: Conversation[] = [];
  const host = startMailHost(options, serve);
  return {
    conversations,
    get connections() {
      return host.connections;
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };

  async function serve(peer: Peer): Promise<void> {
    const conversation: Conversation = { commands: [], texts: [] };
    conversations.push(conversation);
    await peer.say("220 recorder.test ESMTP\r\n");
    for (;;) {
      const line = await peer.hear();
      conversation.commands.push(line);
      const command = line.toUpperCase();
      const answer = reply(command) ?? usual(command);
      await peer.say(`${answer}\r\n`);
      if (command === "QUIT") return;
      if (command !== "DATA" || !answer.startsWith("354")) continue;
      // The end of the DATA line begins the first line of the text too.
      const text = "\r\n" + await peer.hear("\r\n.\r\n") + "\r\n";
      const plain = text.replaceAll("\r\n.", "\r\n").slice(2);
      conversation.texts.push(Uint8Array.from(plain, (octet) => octet.charCodeAt(0)));
      await peer.say(`${reply(".") ?? "250 2.0.0 Taken"}\r\n`);
    }
  }

  function usual(command: string): string {
    if (command.startsWith("EHLO ")) {
      return ["recorder.test", ...keywords]
        .map((word, i, all) => `250${i < all.length - 1 ? "-" : " "}${word}`).join("\r\n");
    }
    if (command === "DATA") return "354 Go on";
    if (command === "QUIT") return "221 2.0.0 Bye";
    return "250 2.0.0 OK";
  }
}
