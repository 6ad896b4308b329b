/**
 * What grows with what: our daemon alone under loads that grow, `deno task bench:growth [CURVE...]`.
 * Prints a table for each curve and whether anything of it is worse than linear. All curves take a
 * quarter of an hour, and leave nothing of a million files and some gigabytes.
 */

import { COMMAND } from "../support/daemon.ts";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { missing } from "../support/programs.ts";
import { connections } from "./growth/connections.ts";
import type { Curve } from "./growth/curve.ts";
import { mailbox } from "./growth/mailbox.ts";
import { type Options, readOptions, usage } from "./growth/options.ts";
import { Others } from "./growth/others.ts";
import { type Measured, panelOf, printCurve } from "./growth/print.ts";
import { queue } from "./growth/queue.ts";
import { recipients } from "./growth/recipients.ts";
import { sessions } from "./growth/sessions.ts";
import { sizes } from "./growth/sizes.ts";
import { machineOf } from "./machine.ts";
import { plot } from "./plot.ts";
import { given, say } from "./terminal.ts";

const CURVES: readonly Curve[] = [sessions, sizes, recipients, queue, mailbox, connections];

const names = CURVES.map(({ name }) => name);
const options = given((words) => readOptions(words, names), usage(names));
const reason = missing(["smtp-source", "python3"]);
if (reason !== undefined) {
  say(`nothing to measure: ${reason} (Debian: postfix, python3)`);
  Deno.exit(1);
}
let stopped = false;
// Who sends and who is measured end by it too, and then all is removed.
Deno.addSignalListener("SIGINT", () => stopped = true);
await measureAll(options);
Deno.exit();

/** Exit code 1 where a curve cannot be measured; one that is worse than linear is none. */
async function measureAll({ curves, rounds, quick, source, svg, folder }: Options): Promise<void> {
  const within = folder === undefined ? {} : { dir: folder };
  const all = await Deno.makeTempDir({ prefix: "denosmtpd-growth-", ...within });
  const fromSource = source || notCompiled() !== undefined;
  say(`denoSMTPD ${fromSource ? "from source" : "compiled"}, ${await machineOf(all)}`);
  const results: Measured[] = [];
  try {
    for (const curve of CURVES.filter(({ name }) => curves.includes(name))) {
      if (stopped) break;
      const bench = {
        command: fromSource ? COMMAND : [EXECUTABLE],
        loads: curve.loads(quick),
        rounds,
        quick,
        folder: () => Deno.makeTempDir({ dir: all, prefix: `${curve.name}-` }),
        tell: (words: string) => {
          if (stopped) throw new Error("stopped");
          tell(`${curve.name}: ${words}`);
        },
      };
      const others = new Others();
      try {
        const measured = { curve, loads: bench.loads, rounds: await curve.measure(bench) };
        tell("");
        say("", `${curve.name}:`, "", printCurve(measured));
        const warning = others.warning();
        if (warning !== undefined) say(warning, "");
        results.push(measured);
      } catch (error) {
        tell("");
        say("", `${curve.name}: failed: ${describe(error)}`);
        Deno.exitCode = 1;
      }
    }
    const drawing = plot(results.map(panelOf));
    if (svg !== undefined && results.length > 0) await Deno.writeTextFile(svg, drawing);
  } finally {
    tell("removing what was made");
    await Deno.remove(all, { recursive: true });
    tell("");
  }
}

/** With all that caused it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

/** What is going on, to whoever sits in front of it: the next words take the place of these. */
function tell(words: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${words}`));
}
