/** Against sessions: whether clients are in each other's way. */

import { type Curve, inRounds, inThousands } from "./curve.ts";
import { DOMAIN, PEAK, PROCESSOR, RATE, serve, take, warmUp } from "./server.ts";

/** A second's worth, about: few sessions send less. */
const MESSAGES = 4000;
const OF_EACH = 400;

export const sessions: Curve = {
  name: "sessions",
  title: "Sessions",
  load: "sessions at once",
  write: inThousands,
  loads: (quick) => quick ? [1, 5, 20, 100] : [1, 2, 5, 10, 20, 50, 100, 200, 500],
  columns: [
    { ...RATE, judged: { what: "time per message", as: "rate", law: "nothing" } },
    { ...PROCESSOR, judged: { what: "processor time per message", as: "cost", law: "nothing" } },
    { ...PEAK, judged: { what: "memory at most", as: "cost", law: "line" } },
  ],
  plotted: { heading: "messages/s", lines: { rate: "" } },
  async measure(bench) {
    const folder = await bench.folder();
    return await inRounds(bench, async (sessions) => {
      // A daemon of its own: what one has ever held, it keeps.
      await using server = await serve(bench.command, folder, ["jones"]);
      const to = `jones@${DOMAIN}`;
      await warmUp(server, to, sessions);
      const messages = Math.min(OF_EACH * sessions, MESSAGES) / (bench.quick ? 4 : 1);
      return await take(server, { messages, to, sessions });
    });
  },
};
