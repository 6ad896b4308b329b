/** nodemailer, the mail library of Node.js, sends; it runs in Deno here. */

import { Buffer } from "node:buffer";
import nodemailer from "nodemailer";
import { testPeer } from "./peer.ts";

testPeer({
  name: "nodemailer",
  needs: [],
  protocol: "ESMTP",
  async send({ host, port, from, to, text }) {
    const transport = nodemailer.createTransport({
      host,
      port,
      name: "client.example",
      ignoreTLS: true,
    });
    try {
      await transport.sendMail({ envelope: { from, to: [...to] }, raw: Buffer.from(text) });
    } finally {
      transport.close();
    }
  },
});
