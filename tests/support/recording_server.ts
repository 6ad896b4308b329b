/** A mail server that remembers what was said to it, byte for byte, and takes it unless told otherwise. */

import { type MailHost, type Peer, startMailHost } from "./mail_host.ts";
import { until } from "./until.ts";

/** What came over one connection. */
export interface Conversation {
  /** As they were written, without their line ends. */
  readonly commands: string[];
  /** Without the periods that make them transparent, and without the one that ends each. */
  readonly texts: Uint8Array[];
}

/** A message that was taken. */
export interface Taken {
  /** With their angle brackets. */
  readonly from: string;
  readonly to: readonly string[];
  readonly text: Uint8Array;
}

export interface RecordingServer extends MailHost {
  readonly conversations: readonly Conversation[];
  readonly taken: readonly Taken[];
  /** A line of mail.conf that sends everything here. */
  readonly setting: string;
  /** Resolves when that many messages were taken. */
  took(count: number): Promise<void>;
}

/** What is said to a command as it was written, or to "." for the end of a text; undefined for what is usual. */
export type Reply = (command: string) => string | undefined | Promise<string | undefined>;

export interface RecordingOptions {
  readonly hostname?: string;
  /** 0 for any that is free. */
  readonly port?: number;
  /** What EHLO announces. */
  readonly keywords?: readonly string[];
  readonly reply?: Reply;
}

const KEYWORDS = ["PIPELINING", "8BITMIME", "SIZE 0"];

export function startRecordingServer(options: RecordingOptions = {}): RecordingServer {
  const { hostname = "127.0.0.1", port = 0, keywords, reply = () => undefined } = options;
  const conversations: Conversation[] = [];
  const taken: Taken[] = [];
  const closing = Promise.withResolvers<never>();
  closing.promise.catch(() => {});
  const host = startMailHost({ hostname, port }, (peer) => {
    const conversation: Conversation = { commands: [], texts: [] };
    conversations.push(conversation);
    return converse(peer, conversation);
  });
  return {
    conversations,
    taken,
    setting: `RELAY_HOST = ${hostname}:${host.port}`,
    async took(count) {
      await until(`${count} messages`, () => taken.length >= count);
    },
    port: host.port,
    get connections() {
      return host.connections;
    },
    [Symbol.asyncDispose]() {
      closing.reject(new Deno.errors.Interrupted());
      return host[Symbol.asyncDispose]();
    },
  };

  async function converse(peer: Peer, { commands, texts }: Conversation): Promise<void> {
    let [from, to]: [string, string[]] = ["", []];
    await peer.say("220 recorder.test ESMTP\r\n");
    for (;;) {
      const command = await peer.hear();
      commands.push(command);
      const answer = await say(peer, command);
      const [, path = ""] = /^\w+ (?:FROM|TO):(<.*>)/.exec(command) ?? [];
      if (command.startsWith("MAIL")) [from, to] = [path, []];
      if (command.startsWith("RCPT") && answer.startsWith("25")) to.push(path);
      if (command === "QUIT") return;
      if (command !== "DATA" || !answer.startsWith("354")) continue;
      const text = await hearText(peer);
      texts.push(text);
      if ((await say(peer, ".")).startsWith("250")) taken.push({ from, to, text });
    }
  }

  async function say(peer: Peer, command: string): Promise<string> {
    // A reply that never comes ends with the server.
    const given = await Promise.race([reply(command), closing.promise]);
    const answer = given ?? usual(command, keywords);
    await peer.say(`${answer}\r\n`);
    return answer;
  }
}

/** Without what makes it transparent. */
async function hearText(peer: Peer): Promise<Uint8Array> {
  // The end of the DATA line begins the first line of the text too.
  const text = "\r\n" + await peer.hear("\r\n.\r\n") + "\r\n";
  const plain = text.replaceAll("\r\n.", "\r\n").slice(2);
  return Uint8Array.from(plain, (octet) => octet.charCodeAt(0));
}

function usual(command: string, keywords: readonly string[] = KEYWORDS): string {
  if (command.startsWith("EHLO ")) {
    return ["recorder.test", ...keywords]
      .map((word, i, all) => `250${i < all.length - 1 ? "-" : " "}${word}`).join("\r\n");
  }
  if (command === "DATA") return "354 Go on";
  if (command === "QUIT") return "221 2.0.0 Bye";
  return command === "." ? "250 2.0.0 Taken" : "250 2.0.0 OK";
}
