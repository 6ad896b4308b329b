/** Against connections that say nothing: how much memory they take. */

import { type Crowd, gather } from "../../greedy/crowd.ts";
import { type Curve, type Figures, inThousands } from "./curve.ts";
import { DOMAIN, residentMemory, serve, warmUp } from "./server.ts";

/** Milliseconds until what their coming took is given back. */
const SETTLED = 1000;

export const connections: Curve = {
  name: "connections",
  title: "Connections",
  load: "idle connections",
  write: inThousands,
  loads: (quick) => [0, 100, 1000, ...quick ? [] : [2500, 5000]],
  columns: [
    { key: "memory", heading: "memory, MB", judged: { what: "memory", as: "cost", law: "line" } },
  ],
  plotted: { heading: "resident memory, MB", lines: { memory: "" } },
  async measure({ command, folder, loads, rounds, tell }) {
    const results = loads.map((): Figures[] => []);
    for (let round = 1; round <= rounds; round++) {
      await using server = await serve(command, await folder(), ["jones"]);
      await warmUp(server, `jones@${DOMAIN}`);
      await using crowds = new AsyncDisposableStack();
      let there = 0;
      for (const [i, load] of loads.entries()) {
        tell(`round ${round} of ${rounds}: ${load}`);
        const more = load - there;
        there = load;
        if (more > 0) greeted(crowds.use(await gather(server.port, more)), more);
        await new Promise((resolve) => setTimeout(resolve, SETTLED));
        results[i]!.push({ memory: residentMemory(server) / 1e6 });
      }
    }
    return results;
  },
};

function greeted(crowd: Crowd, expected: number): void {
  if (crowd.greeted === expected) return;
  throw new Error(`${crowd.greeted} of ${expected} connections were greeted`);
}
