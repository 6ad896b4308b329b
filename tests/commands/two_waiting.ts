/** Two messages that wait, for the command `queue`. */

import { type Daemon, NOWHERE, startDaemon } from "../support/daemon.ts";
import { submit } from "../support/submit.ts";
import { deferredIn } from "../support/waiting.ts";

/** An id that no message has. */
export const ABSENT = "0123456789abcde";

/** What the command does does not depend on whether a daemon runs. */
export const SITUATIONS = [["beside a daemon", true], ["without a daemon", false]] as const;

/** Two messages that nobody takes, tried once; the daemon runs on or has ended. */
export async function twoWaiting(
  running: boolean,
): Promise<{ daemon: Daemon; ids: readonly [string, string] }> {
  const daemon = await startDaemon({ mail: NOWHERE });
  const text = "Subject: Hi\r\n\r\nHello\r\n";
  const to = ["fred@far.example", '"a b"@far.example'];
  const first = await submit(daemon.port, { from: "a@b.example", to, text });
  const second = await submit(daemon.port, { from: "", to: ["ann@far.example"], text });
  await deferredIn(daemon);
  if (!running) await daemon.stop();
  return { daemon, ids: [first, second] };
}
