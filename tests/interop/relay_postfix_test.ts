/** Postfix as the next host, with and without STARTTLS. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { startPostfix } from "../support/postfix.ts";
import { missingOrNotRoot, skippable } from "../support/programs.ts";
import { submit, TEXT } from "../support/submit.ts";
import { loggedLine, until } from "../support/until.ts";
import { emptied } from "../support/waiting.ts";
import { readWithPython } from "./maildir.ts";
import { reportTo } from "./relay_report.ts";

const HIGH_OCTETS = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i));
const TEXTS = [
  TEXT,
  `${TEXT}.\r\n..\r\n.one\r\n\r\n.\r\n`,
  `${TEXT}${HIGH_OCTETS}\r\n`,
  `${TEXT}${"x".repeat(5000)}\r\n.${"y".repeat(4999)}\r\n`,
];

for (const tls of [true, false]) {
  const reason = missingOrNotRoot(["postfix", "python3"]);
  Deno.test({
    ...skippable(`Postfix takes mail ${tls ? "over STARTTLS" : "in plain text"} (CL-29)`, reason),
    fn: async () => {
      await using network = await startMailNetwork({ "x.test": "127.0.0.2" });
      await using postfix = await startPostfix({
        hostname: "127.0.0.2",
        port: network.port,
        domain: "x.test",
        tls,
      });
      await using daemon = await startDaemon({ mail: `${network.mail}LOG_LEVEL = debug\n` });

      for (const text of TEXTS) await submit(daemon.port, { to: ["joe@x.test"], text });
      await submit(daemon.port, { to: ["nobody@x.test"] });
      await emptied(daemon);
      const { log } = postfix;
      const removed = () => log().then((all) => all.match(/ removed$/gm)?.length === TEXTS.length);
      await until("Postfix's last delivery", removed);

      const messages = await readWithPython(postfix.mailbox);
      const bodies = messages.map(({ bytes }) => octetText(bytes));
      assert.equal(bodies.length, TEXTS.length);
      for (const text of TEXTS) {
        const body = bodies.find((one) => one.endsWith(`\n${text.replaceAll("\r\n", "\n")}`));
        assert(body, `not there, or not as it was: ${JSON.stringify(text.slice(-100))}`);
        const trace = body.slice(0, body.length - text.replaceAll("\r\n", "\n").length);
        assert.equal(trace.match(/^Return-Path: <jones@me\.example>$/m)?.length, 1);
        assert.equal(trace.match(/^Received: from client\.example /gm)?.length, 1);
        assert.equal(trace.match(/^Received: from me\.example /gm)?.length, 1);
        assert.equal(/using TLSv1\.[23] with cipher/.test(trace), tls);
        assert.equal(/with ESMTPS /.test(trace), tls);
      }

      const established = /TLS connection established from .*: TLSv1\.[23] with cipher/;
      assert.equal(established.test(await log()), tls);
      const connected = await loggedLine(daemon, " connected ");
      if (tls) assert.match(connected, / tls=TLSv1\.[23] verified=false$/);
      else assert.match(connected, / tls=none verified=false$/);
      assert.doesNotMatch(daemon.log(), /plain text|message deferred/);

      const report = await reportTo(daemon, "jones");
      const [recipient] = report.recipients;
      assert.equal(recipient?.["Final-Recipient"], "rfc822; nobody@x.test");
      assert.equal(recipient?.Status, "5.1.1");
      assert.equal(recipient?.["Remote-MTA"], "dns; mx.x.test");
      assert.match(recipient?.["Diagnostic-Code"] ?? "", /^smtp; 550 5\.1\.1 <nobody@x\.test>/);
    },
  });
}

/** One character for each octet. */
function octetText(octets: Uint8Array): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}
