/** Against size: whether each octet costs the same, however many there are. */

import { type Curve, inRounds } from "./curve.ts";
import { DOMAIN, PEAK, PROCESSOR, RATE, serve, take, warmUp } from "./server.ts";

const KILO = 1024;
const MEGA = 1024 ** 2;
/**
 * Each a program of its own: smtp-source says a text to its end before it goes on with other sessions, so
 * of large ones a single program sends one at a time.
 */
const SESSIONS = 4;
/** Messages in a round: so many, or so many octets, but some even of the largest. */
const MOST = 2000;
const OCTETS = 128 * MEGA;
const LEAST = 2 * SESSIONS;

export const sizes: Curve = {
  name: "sizes",
  title: "Size",
  load: "size of a message",
  write: (octets) => octets < MEGA ? `${octets / KILO} KB` : `${octets / MEGA} MB`,
  loads: (quick) => {
    const some = [1, 16, 256].map((number) => number * KILO);
    if (quick) return [...some, 4 * MEGA];
    const kilobytes = [1, 4, 16, 64, 256].map((number) => number * KILO);
    return [...kilobytes, ...[1, 4, 16, 50].map((number) => number * MEGA)];
  },
  columns: [
    { ...RATE, judged: { what: "time per message", as: "rate", law: "line" } },
    { key: "octets", heading: "MB/s" },
    { ...PROCESSOR, judged: { what: "processor time per message", as: "cost", law: "line" } },
    { ...PEAK, judged: { what: "memory at most", as: "cost", law: "line" } },
  ],
  plotted: { heading: "MB/s", lines: { octets: "" } },
  async measure(bench) {
    const folder = await bench.folder();
    return await inRounds(bench, async (octets) => {
      // A daemon of its own: what one has ever held, it keeps.
      await using server = await serve(bench.command, folder, ["jones"]);
      const to = `jones@${DOMAIN}`;
      await warmUp(server, to, SESSIONS);
      const messages = Math.max(Math.min(MOST, Math.floor(OCTETS / octets)), LEAST);
      const each = Math.ceil(messages / SESSIONS / (bench.quick ? 4 : 1));
      const figures = await take(server, { messages: each, to, octets, programs: SESSIONS });
      return { ...figures, octets: figures.rate * octets / 1e6 };
    });
  },
};
