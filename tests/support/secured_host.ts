/** A mail server under TLS, by STARTTLS or from the first octet on, that takes what it gets. */

import type { Issued } from "./authority.ts";
import { TcpPeer } from "./tcp_peer.ts";

export interface SecuredHost extends AsyncDisposable {
  readonly port: number;
  /** All that clients have said in lines, texts included, each with `tls ` before it where it was under TLS. */
  readonly heard: readonly string[];
}

export interface SecuredHostOptions {
  readonly hostname: string;
  readonly port?: number;
  readonly issued: Issued;
  /** Whether TLS begins with the connection. */
  readonly implicit?: boolean;
  /** What EHLO offers under TLS. */
  readonly keywords?: readonly string[];
  /** What is said to a command, if not what is usual. */
  readonly reply?: (command: string) => string | undefined;
}

export function startSecuredHost(options: SecuredHostOptions): SecuredHost {
  const { hostname, port = 0 } = options;
  const listener = Deno.listen({ hostname, port });
  const heard: string[] = [];
  const peers = new Set<TcpPeer>();
  const serving = (async () => {
    for await (const conn of listener) {
      const peer = new TcpPeer(conn);
      peers.add(peer);
      // Whoever is connected may go at any time.
      serve(peer, options, heard).catch(() => {}).finally(() => peer.close());
    }
  })();
  return {
    port: listener.addr.port,
    heard,
    async [Symbol.asyncDispose]() {
      listener.close();
      peers.forEach((peer) => peer.close());
      await serving;
    },
  };
}

async function serve(
  peer: TcpPeer,
  { issued: { certificate: cert, key }, implicit = false, keywords = [], reply }:
    SecuredHostOptions,
  heard: string[],
): Promise<void> {
  let secured = implicit;
  if (implicit) peer.startTls({ cert, key });
  await peer.say("220 secured.test ESMTP\r\n");
  let [rest, inText] = ["", false];
  for (;;) {
    const end = rest.indexOf("\r\n");
    if (end < 0) {
      const more = await peer.hear();
      if (more === null) return;
      rest += more;
      continue;
    }
    const line = rest.slice(0, end);
    rest = rest.slice(end + 2);
    heard.push(`${secured ? "tls " : ""}${line}`);
    if (inText && line !== ".") continue;
    inText = line === "DATA";
    const offers = secured ? keywords : ["STARTTLS"];
    await peer.say(`${reply?.(line) ?? usual(line, offers)}\r\n`);
    if (line === "QUIT") return;
    if (line !== "STARTTLS") continue;
    secured = true;
    peer.startTls({ cert, key });
  }
}

function usual(line: string, keywords: readonly string[]): string {
  if (line.startsWith("EHLO ")) {
    return ["secured.test", ...keywords]
      .map((word, i, all) => `250${i < all.length - 1 ? "-" : " "}${word}`).join("\r\n");
  }
  if (line === "DATA") return "354 Go on";
  if (line === "QUIT") return "221 2.0.0 Bye";
  if (line === "STARTTLS") return "220 2.0.0 Go on";
  return line.startsWith("AUTH") ? "235 2.7.0 Welcome" : "250 2.0.0 OK";
}
