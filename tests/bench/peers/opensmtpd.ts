/**
 * OpenSMTPD. Debian's cannot stand beside Postfix, so it may be unpacked anywhere: OPENSMTPD is the
 * path of its smtpd, with its `libexec` beside `sbin` as in the package. What it was built for (its
 * users, spool and programs) is then there in a mount namespace alone.
 */

import { freePort } from "../../support/free_port.ts";
import { find, missingOrNotRoot } from "../../support/programs.ts";
import { keeper } from "./keeper.ts";
import type { Kind, Setup } from "./peer.ts";
import { firstLine, startProgram } from "./program.ts";

const PROGRAM = Deno.env.get("OPENSMTPD");

/**
 * Its words: the folder for its queue, the folder of its programs, a resolv.conf, and smtpd with its
 * own words.
 */
const SCRIPT = `set -e
queue=$1 programs=$2 resolver=$3
shift 3
for file in passwd group; do
  copy=$(mktemp)
  cp "/etc/$file" "$copy"
  chmod 644 "$copy"
  for user in opensmtpd:64996 opensmtpq:64997; do
    name=\${user%:*} id=\${user#*:}
    grep -q "^$name:" "$copy" || case $file in
      passwd) echo "$name:x:$id:$id::/nonexistent:/bin/false" ;;
      group) echo "$name:x:$id:" ;;
    esac >>"$copy"
  done
  mount --bind "$copy" "/etc/$file"
  rm "$copy"
done
# It wants a name for every client: this machine's files have it, and nobody else is asked.
mount --bind "$resolver" /etc/resolv.conf
for folder in /run /var/lib /var/spool; do
  mount -t tmpfs -o mode=755 none "$folder"
done
mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd
mount --bind "$queue" /var/spool/smtpd
mount --bind "$programs" /usr/libexec
exec "$@"`;

export const opensmtpd: Kind = {
  name: "OpenSMTPD",
  missing: () => {
    const reason = missingOrNotRoot(["unshare", "mount"]) ??
      (PROGRAM === undefined ? "OPENSMTPD names no smtpd" : undefined);
    return reason && `${reason} (Debian: opensmtpd, unpacked; OPENSMTPD=.../usr/sbin/smtpd)`;
  },
  // `smtpd -h` says it, to standard error.
  version: () => firstLine("sh", "-c", '"$1" -h 2>&1', "sh", PROGRAM ?? "smtpd").split(" ").at(-1)!,
  relays: false,
  async start(setup) {
    const { folder } = setup;
    for (const [one, mode] of [["queue", 0o711], ["mail", 0o777]] as const) {
      await Deno.mkdir(`${folder}/${one}`);
      await Deno.chmod(`${folder}/${one}`, mode);
    }
    const port = freePort();
    await Deno.writeTextFile(`${folder}/conf`, configuration(setup, port));
    const resolver = `${folder}/resolver`;
    await Deno.writeTextFile(resolver, "lookup file\n");
    const program = PROGRAM ?? "smtpd";
    const running = await startProgram({
      command: [
        find("unshare") ?? "unshare",
        ...["--mount", "sh", "-c", SCRIPT, "sh"],
        ...[`${folder}/queue`, program.replace(/\/sbin\/[^/]*$/, "/libexec"), resolver],
        ...[program, "-d", "-f", `${folder}/conf`],
      ],
      port,
      log: `${folder}/log`,
    });
    return keeper(setup, port, running);
  },
};

/** Everybody's mail is written by nobody. */
function configuration({ folder, domain }: Setup, port: number): string {
  return `table everybody { "@${domain}" = "keeper" }
table keepers { "keeper" = "65534:65534:${folder}/mail" }
listen on 127.0.0.1 port ${port} hostname ${domain}
action "keep" maildir "${folder}/mail/%{rcpt.user}" virtual <everybody> userbase <keepers>
match from any for domain "${domain}" action "keep"
`;
}
