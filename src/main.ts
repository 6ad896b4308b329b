/**
 * The command line: arguments in, one command out. Only that one is loaded: the daemon's start is to be
 * short.
 */

import { parseArgs } from "@std/cli/parse-args";
import { USAGE, VERSION } from "./commands/help.ts";
import { complain, Exit, say } from "./commands/terminal.ts";

/** `commit` is the one that an executable was made from. */
async function main(words: readonly string[], commit?: string): Promise<Exit> {
  const unknown: string[] = [];
  const args = parseArgs([...words], {
    boolean: ["help", "version", "license", "verbose", "all", "json", "connect"],
    string: ["to", "from", "server", "_"],
    collect: ["to"],
    alias: { h: "help", v: "verbose" },
    unknown: (word: string) => {
      if (!word.startsWith("-")) return true;
      unknown.push(word);
      return false;
    },
  });
  if (args.help) {
    say(USAGE);
    return Exit.Good;
  }
  if (args.version) {
    say(`denosmtpd ${VERSION}${commit === undefined ? "" : ` (${commit})`}`);
    return Exit.Good;
  }
  if (args.license) {
    const { license } = await import("./commands/license.ts");
    return await license();
  }
  if (unknown.length > 0) return misused(`unknown option ${[...new Set(unknown)].join(", ")}`);
  const [command, ...rest] = args._.map(String);
  const [mailFile, userFile, ...more] = command === "check" ? rest : args._.map(String);
  const forSend = args.to.length > 0 || args.from !== undefined || args.server !== undefined ||
    args.verbose;
  if (forSend && command !== "send") {
    return misused("--to, --from, --server and -v are for send");
  }
  if (args.connect && command !== "check") return misused("--connect is for check");
  if (command === "queue") return await queueCommand(rest, args);
  if (args.all || args.json && command !== "check") {
    return misused("--all and --json are for queue, --json for check too");
  }
  if (command === "send") {
    if (rest.length > 0) {
      return misused(`send takes no argument ${rest[0]}, a recipient is --to ADDRESS`);
    }
    if (args.to.length === 0) return misused("send needs a recipient: --to ADDRESS");
    const { send } = await import("./commands/send.ts");
    return await send({
      to: args.to,
      from: args.from,
      server: args.server ?? "127.0.0.1:25",
      verbose: args.verbose,
    });
  }
  if (command === "passwd") {
    // What stands there may be the password, and is not shown.
    if (rest.length > 0) return misused("passwd takes no argument, it asks for the password");
    const { passwd } = await import("./commands/passwd.ts");
    return await passwd();
  }
  if (mailFile === undefined || userFile === undefined) {
    return misused("two configuration files are needed: MAIL_CONF USER_CONF");
  }
  if (more.length > 0) {
    return misused(
      command === "check" ? `check has no use for ${more.join(", ")}` : `no command ${command}`,
    );
  }
  if (command === "check") {
    const { check } = await import("./commands/check.ts");
    return await check(mailFile, userFile, args);
  }
  const { serve } = await import("./commands/serve.ts");
  return await serve(mailFile, userFile);
}

/** `queue list|show|retry|remove MAIL_CONF [ID...]` */
async function queueCommand(
  [action, mailFile, ...ids]: readonly string[],
  { all, json }: { readonly all: boolean; readonly json: boolean },
): Promise<Exit> {
  if (action !== "list" && action !== "show" && action !== "retry" && action !== "remove") {
    const words = "queue takes one of list, show, retry, remove";
    return misused(action === undefined ? words : `no queue ${action}, ${words}`);
  }
  if (mailFile === undefined) return misused(`queue ${action} needs MAIL_CONF`);
  if (action === "list" && ids.length > 0) return misused(`queue list has no use for ${ids[0]}`);
  if (json && action !== "list") return misused("--json is for queue list");
  if (all && action !== "retry") return misused("--all is for queue retry");
  if (all && ids.length > 0) return misused("queue retry takes ids or --all, not both");
  if (!all && ids.length === 0 && action !== "list") {
    return misused(`queue ${action} needs ids${action === "retry" ? " or --all" : ""}`);
  }
  const { queue } = await import("./commands/queue.ts");
  return await queue({ action, mailFile, ids, all, json });
}

function misused(message: string): Exit {
  complain(`${message} (see denosmtpd --help)`);
  return Exit.Misused;
}

try {
  const [, commit] = /^--commit=(.+)$/.exec(Deno.args[0] ?? "") ?? [];
  Deno.exit(await main(Deno.args.slice(commit === undefined ? 0 : 1), commit));
} catch (error) {
  if (!(error instanceof Deno.errors.NotCapable)) throw error;
  complain(`Deno was started with too few permissions: ${error.message}`);
  Deno.exit(Exit.Misused);
}
