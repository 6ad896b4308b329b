/** Against what a mailbox holds already: whether a long directory makes it slower to add to. */

import { succeed } from "../../support/programs.ts";
import { type Curve, inRounds, inThousands } from "./curve.ts";
import { fillMailbox } from "./mailbox_filler.ts";
import { DOMAIN, PROCESSOR, RATE, serve, take, warmUp } from "./server.ts";

const SESSIONS = 20;
const MESSAGES = 3000;

export const mailbox: Curve = {
  name: "mailbox",
  title: "Mailbox",
  load: "messages in the mailbox",
  write: inThousands,
  loads: (quick) => [0, 1000, 10_000, ...quick ? [] : [100_000, 1_000_000]],
  columns: [
    { ...RATE, judged: { what: "time per message", as: "rate", law: "nothing" } },
    { ...PROCESSOR, judged: { what: "processor time per message", as: "cost", law: "nothing" } },
  ],
  plotted: { heading: "messages/s", lines: { rate: "" } },
  async measure(bench) {
    const folder = await bench.folder();
    for (const load of bench.loads) {
      bench.tell(`making a mailbox with ${load}`);
      fillMailbox(`${folder}/${userOf(load)}`, load);
    }
    // What was made is no load of the first round's.
    await succeed("sync", []);
    await using server = await serve(bench.command, folder, ["jones", ...bench.loads.map(userOf)]);
    await warmUp(server, `jones@${DOMAIN}`);
    return await inRounds(bench, (load) => {
      const messages = bench.quick ? MESSAGES / 4 : MESSAGES;
      return take(server, { messages, to: `${userOf(load)}@${DOMAIN}`, sessions: SESSIONS });
    });
  },
};

function userOf(load: number): string {
  return `box${load}`;
}
