/** Exim, each message delivered at once by a process of its own. */

import { EXIM, eximWords, noExim } from "../../support/exim.ts";
import { freePort } from "../../support/free_port.ts";
import { find } from "../../support/programs.ts";
import { familyOf } from "../family.ts";
import { keeper } from "./keeper.ts";
import type { Kind, Setup } from "./peer.ts";
import { firstLine, startProgram } from "./program.ts";

export const exim: Kind = {
  name: "Exim",
  missing: () => {
    return noExim && `${noExim} (Debian: exim4-daemon-light, unpacked; EXIM says where)`;
  },
  version: () => {
    const program = find("unshare") ?? "unshare";
    return /version (\S+)/.exec(firstLine(program, ...eximWords(), "-bV"))?.[1] ?? "";
  },
  unwaited: true,
  relays: false,
  async start(setup) {
    const { folder, mailboxes } = setup;
    // It gives up root's rights and must still write there.
    for (const one of ["spool", "log", "mail"]) {
      await Deno.mkdir(`${folder}/${one}`);
      await Deno.chmod(`${folder}/${one}`, 0o777);
    }
    const port = freePort();
    await Deno.writeTextFile(
      `${folder}/users`,
      mailboxes.map((one) => `${one}: ${one}\n`).join(""),
    );
    await Deno.writeTextFile(`${folder}/conf`, configuration(setup, port));
    const running = await startProgram({
      // Its deliveries outlive who began them; in a PID namespace they are then its first process's.
      command: [
        find("unshare") ?? "unshare",
        ...["--pid", "--fork"],
        ...eximWords(),
        ...["-C", `${folder}/conf`, "-bdf"],
      ],
      port,
      log: `${folder}/output`,
    });
    return {
      ...keeper(setup, port, running),
      [Symbol.asyncDispose]: async () => {
        // unshare, the first, ends with the second, and all others with that.
        for (const { pid } of familyOf(running.pid).slice(1, 2)) Deno.kill(pid, "SIGTERM");
        await running.ended;
      },
    };
  },
};

function configuration({ folder, domain, sessions }: Setup, port: number): string {
  return `exim_path = ${EXIM}
exim_user = nobody
exim_group = nogroup
deliver_drop_privilege
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/spool/pid
primary_hostname = ${domain}
local_interfaces = <; [127.0.0.1]:${port}
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
keep_environment =
check_spool_space = 0
check_spool_inodes = 0
smtp_accept_max = ${sessions + 100}
smtp_connect_backlog = 1000
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
acl_smtp_rcpt = accept
acl_smtp_data = accept
begin routers
kept:
  driver = accept
  domains = ${domain}
  local_parts = lsearch;${folder}/users
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  directory = ${folder}/mail/$local_part_data
  maildir_format
  return_path_add
  user = nobody
  group = nogroup
`;
}
