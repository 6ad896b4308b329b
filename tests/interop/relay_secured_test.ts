/** One daemon brings mail to another under TLS. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { testWith } from "../support/programs.ts";
import { startSecuredDaemon } from "../support/secured_daemon.ts";
import { submit, TEXT } from "../support/submit.ts";
import { loggedLine } from "../support/until.ts";
import { emptied } from "../support/waiting.ts";
import { assertSameBytes, part } from "./maildir.ts";
import { arrived } from "./relay_report.ts";

const SENT = `${TEXT}.\r\n..\r\nGr\xfc\xdfe\r\n`;

testWith(["openssl"], "one daemon relays to another over STARTTLS (CL-29, CL-32)", async () => {
  await using network = await startMailNetwork({ "mx.test": "127.0.0.1" });
  await using receiving = await startSecuredDaemon({
    mail: `LISTEN_PORT = ${network.port}\n`,
  });
  await using relaying = await startDaemon({
    mail: `${network.mail}HOSTNAME = x.test\nLISTEN_ADDR = 127.0.0.2\nLOG_LEVEL = debug\n`,
  });
  await submit(relaying.port, { to: ["smith@mx.test"], text: SENT }, "127.0.0.2");
  const [bytes] = await arrived(receiving, "smith");
  const { received, text } = part(bytes!);
  assert.match(
    received,
    /^from x\.test \(\[127\.0\.0\.1\]\) by mx\.test with ESMTPS \(TLSv1\.3 TLS_\w+\) id \w+ for /,
  );
  // Below stands the field of the daemon that has relayed it.
  const first = /^Received: from client\.example .*\n(?:\t.*\n)*/.exec(
    new TextDecoder().decode(text),
  )?.[0];
  assert(first);
  assertSameBytes(
    text.subarray(first.length),
    Uint8Array.from(SENT.replaceAll("\r\n", "\n"), (octet) => octet.charCodeAt(0)),
  );
  await emptied(relaying);
  assert.match(await loggedLine(relaying, " connected "), / tls=TLSv1\.3 verified=false$/);
  assert.match(receiving.log(), / message delivered .* tls=TLSv1\.3 /);
  assert.doesNotMatch(relaying.log(), /plain text|message deferred/);
});
