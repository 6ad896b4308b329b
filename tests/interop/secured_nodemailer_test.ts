/** nodemailer under TLS, by the node:tls of Deno. */

import { Buffer } from "node:buffer";
import nodemailer from "nodemailer";
import { type SecuredMail, testSecuredPeer } from "./secured_peer.ts";

testSecuredPeer({
  name: "nodemailer",
  needs: [],
  shows: [/^client: EHLO client\.example$/m, /^server: 250 2\.0\.0 OK, stored as \w+$/m],
  showsLogin: [/^client: AUTH PLAIN /m, /^server: 235 2\.7\.0 Logged in$/m],
  untrusted: /UNKNOWN_ISSUER|unknown ?issuer|unable to|self.signed/i,
  send,
});

async function send(mail: SecuredMail): Promise<string> {
  const { service, port, authorityFile, login, from, to, text } = mail;
  const shown: string[] = [];
  const transport = nodemailer.createTransport({
    host: "localhost",
    port,
    name: "client.example",
    secure: service === "submissions",
    requireTLS: true,
    tls: { ca: await Deno.readTextFile(authorityFile) },
    debug: true,
    logger: {
      debug: ({ tnx }: { tnx: string }, line: string) => void shown.push(`${tnx}: ${line}`),
    },
    ...login ? { auth: { user: login.name, pass: login.password } } : {},
  });
  try {
    const { rejected } = await transport.sendMail({
      envelope: { from, to: [...to] },
      raw: Buffer.from(text),
    });
    if (rejected.length > 0) throw new Error(`rejected: ${rejected}`);
    return shown.join("\n");
  } finally {
    transport.close();
  }
}
