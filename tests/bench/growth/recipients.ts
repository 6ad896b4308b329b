/** Against recipients of one message, each with a mailbox: whether each copy costs the same. */

import { recipientsOf } from "../source.ts";
import { type Curve, inRounds, inThousands } from "./curve.ts";
import { DOMAIN, PROCESSOR, RATE, serve, take, warmUp } from "./server.ts";

const SESSIONS = 20;
/** Messages in a round: so many, or so many copies, but some even for the most recipients. */
const MOST = 2000;
const COPIES = 10_000;
const LEAST = 5 * SESSIONS;

export const recipients: Curve = {
  name: "recipients",
  title: "Recipients",
  load: "recipients of a message",
  write: inThousands,
  loads: (quick) => quick ? [1, 5, 20] : [1, 2, 5, 10, 20, 50, 100],
  columns: [
    { ...RATE, judged: { what: "time per message", as: "rate", law: "line" } },
    { key: "copies", heading: "copies/s" },
    { ...PROCESSOR, judged: { what: "processor time per message", as: "cost", law: "line" } },
  ],
  plotted: { heading: "copies/s", lines: { copies: "" } },
  async measure(bench) {
    const users = recipientsOf({ to: "jones", recipients: Math.max(...bench.loads) });
    await using server = await serve(bench.command, await bench.folder(), users);
    const to = `jones@${DOMAIN}`;
    await warmUp(server, to);
    return await inRounds(bench, async (recipients) => {
      const messages = Math.max(Math.min(MOST, COPIES / recipients), LEAST);
      const some = bench.quick ? messages / 4 : messages;
      const figures = await take(server, { messages: some, to, sessions: SESSIONS, recipients });
      return { ...figures, copies: figures.rate * recipients };
    });
  },
};
