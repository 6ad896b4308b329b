/**
 * Exim as a mail server of its own: its configuration, queue and mailbox in one folder. Debian's Exim
 * and Postfix cannot be installed side by side, so it may also be anywhere else: EXIM is its path.
 */

import { find, missingOrNotRoot } from "./programs.ts";
import { until } from "./until.ts";
import { sendSignal } from "./signal.ts";

export interface Exim extends AsyncDisposable {
  /** Where all mail goes: a Maildir. */
  readonly mailbox: string;
  /** All it has logged so far. */
  log(): Promise<string>;
}

/** Its path; undefined where there is none. */
export const EXIM = Deno.env.get("EXIM") || find("exim4");

/** Why it cannot be started here; undefined where it can. */
export const noExim = missingOrNotRoot(["unshare", "mount"]) ?? notStarting();

function notStarting(): string | undefined {
  if (EXIM === undefined) return "exim4 is not installed, and EXIM names none";
  const { success, stderr } = new Deno.Command(find("unshare") ?? "unshare", {
    args: [...eximWords(), "-C", "/dev/null", "-bV"],
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  return success ? undefined : `exim4 does not start: ${new TextDecoder().decode(stderr).trim()}`;
}

/**
 * Words for unshare(1) that run Exim, with further words behind them. The user that Debian's Exim was
 * built for must exist: if nowhere else, then where it runs.
 */
export function eximWords(): string[] {
  const script = `for file in passwd group; do
  copy=$(mktemp) && cp "/etc/$file" "$copy" && chmod 644 "$copy"
  grep -q '^Debian-exim:' "$copy" || case $file in
    passwd) echo 'Debian-exim:x:64998:64998::/nonexistent:/bin/false' ;;
    group) echo 'Debian-exim:x:64998:' ;;
  esac >>"$copy"
  mount --bind "$copy" "/etc/$file" && rm "$copy" || exit
done
exec "$@"`;
  return ["--mount", "sh", "-c", script, "sh", EXIM ?? "exim4"];
}

/** Starts it and waits until it listens. It takes all mail. Only root can. */
export async function startExim(
  { hostname, port, domain }: {
    readonly hostname: string;
    readonly port: number;
    readonly domain: string;
  },
): Promise<Exim> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  // It gives up root's rights and must still get in.
  await Deno.chmod(folder, 0o755);
  for (const one of ["spool", "log", "mail"]) {
    await Deno.mkdir(`${folder}/${one}`, { mode: 0o777 });
    await Deno.chmod(`${folder}/${one}`, 0o777);
  }
  await Deno.writeTextFile(`${folder}/conf`, configuration(folder, hostname, port, domain));
  const process = new Deno.Command(find("unshare") ?? "unshare", {
    args: [...eximWords(), "-C", `${folder}/conf`, "-bdf"],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(process.stderr).text();
  const log = () => Deno.readTextFile(`${folder}/log/mainlog`).catch(() => "");
  const dispose = async () => {
    sendSignal(process, "SIGTERM");
    await process.status;
    await said;
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await until(`Exim at ${hostname}:${port}`, () => listens(hostname, port));
  } catch (error) {
    const words = await log();
    await dispose();
    throw new Error(`Exim did not start:\n${await said}${words}`, { cause: error });
  }
  return { mailbox: `${folder}/mail/joe`, log, [Symbol.asyncDispose]: dispose };
}

function configuration(folder: string, hostname: string, port: number, domain: string): string {
  return `exim_path = ${EXIM}
exim_user = nobody
exim_group = nogroup
deliver_drop_privilege
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/spool/pid
primary_hostname = mx.${domain}
local_interfaces = <; [${hostname}]:${port}
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
keep_environment =
message_size_limit = 0
check_spool_space = 0
check_spool_inodes = 0
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = accept
acl_smtp_data = accept
begin routers
all:
  driver = accept
  transport = mailbox
begin transports
mailbox:
  driver = appendfile
  directory = ${folder}/mail/joe
  maildir_format
  return_path_add
  user = nobody
  group = nogroup
`;
}

async function listens(hostname: string, port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
