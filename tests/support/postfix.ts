/** Postfix as an instance of its own: its configuration, queue and mailboxes in one folder. */

import type { Issued } from "./authority.ts";
import { find } from "./programs.ts";
import { until } from "./until.ts";

export interface Postfix {
  /** All of it is in here. */
  readonly folder: string;
  /** The process that all its others come from. */
  readonly master: number;
  /** Where joe's mail is: a Maildir. */
  readonly mailbox: string;
  /** All it has logged so far. */
  log(): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface PostfixOptions {
  readonly hostname: string;
  readonly port: number;
  /** The domain whose one user is joe. */
  readonly domain: string;
  /** Whether it offers STARTTLS. */
  readonly tls: boolean;
  /** Settings by which it sends what is for other domains; unless told, it sends nothing. */
  readonly sending?: Readonly<Record<string, string>>;
  /** Its own, if not one for mx.test that is signed by itself. */
  readonly issued?: Issued;
  /** Settings besides, which may replace any other. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A folder for all of it, which stays; unless told, it has one that is removed in the end. */
  readonly folder?: string;
}

const CERTIFICATE = new URL("mx.test", import.meta.url).pathname;

/** Starts it and waits until it listens. Only root can. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const folder = options.folder ?? await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  const logFile = `${folder}/log`;
  await write(folder, options);
  const process = new Deno.Command(find("postfix") ?? "postfix", {
    args: ["-c", `${folder}/etc`, "start-fg"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ended = process.output();
  const log = () => Deno.readTextFile(logFile).catch(() => "");
  const dispose = async () => {
    await stopMaster(folder);
    await ended;
    if (options.folder === undefined) await Deno.remove(folder, { recursive: true });
  };
  try {
    await until(`Postfix at ${options.hostname}:${options.port}`, () => listens(options));
  } catch (error) {
    const words = await log();
    await dispose();
    const { stderr } = await ended;
    const said = new TextDecoder().decode(stderr);
    throw new Error(`Postfix did not start:\n${said}${words}`, { cause: error });
  }
  const master = await masterOf(folder);
  return { folder, master, mailbox: `${folder}/mail/joe`, log, [Symbol.asyncDispose]: dispose };
}

/** The program started is a script that waits for the master; the rest ends with the master. */
async function stopMaster(folder: string): Promise<void> {
  try {
    Deno.kill(await masterOf(folder), "SIGTERM");
  } catch (error) {
    // It has never started, or has ended.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function masterOf(folder: string): Promise<number> {
  return Number(await Deno.readTextFile(`${folder}/queue/pid/master.pid`));
}

async function write(
  folder: string,
  { hostname, port, domain, tls, issued, sending, settings: besides }: PostfixOptions,
): Promise<void> {
  // Its parts give up root's rights and must still get in.
  await Deno.chmod(folder, 0o755);
  for (const one of ["etc", "queue", "data", "mail"]) await Deno.mkdir(`${folder}/${one}`);
  await chown("postfix", `${folder}/data`);
  await chown("nobody", `${folder}/mail`);
  for (const one of ["crt", "key"]) {
    await Deno.copyFile(`${CERTIFICATE}.${one}`, `${folder}/etc/tls.${one}`);
  }
  if (issued) {
    await Deno.writeTextFile(`${folder}/etc/tls.crt`, issued.certificate);
    await Deno.writeTextFile(`${folder}/etc/tls.key`, issued.key);
  }
  await Deno.chmod(`${folder}/etc/tls.key`, 0o600);
  const settings = {
    compatibility_level: "3.6",
    queue_directory: `${folder}/queue`,
    data_directory: `${folder}/data`,
    maillog_file: `${folder}/log`,
    maillog_file_prefixes: folder,
    // It listens at the address in master.cf, and takes no other loopback address for an interface.
    inet_interfaces: "loopback-only",
    inet_protocols: "ipv4",
    myhostname: `mx.${domain}`,
    mydestination: "",
    mynetworks: "127.0.0.0/8",
    alias_maps: "",
    local_recipient_maps: "",
    smtpd_peername_lookup: "no",
    // It need not wait for its own deliveries.
    in_flow_delay: "0",
    virtual_mailbox_domains: domain,
    virtual_mailbox_base: `${folder}/mail`,
    virtual_mailbox_maps: `inline:{ joe@${domain}=joe/ }`,
    virtual_uid_maps: `static:${await idOf("-u")}`,
    virtual_gid_maps: `static:${await idOf("-g")}`,
    smtpd_tls_security_level: tls ? "may" : "none",
    smtpd_tls_cert_file: `${folder}/etc/tls.crt`,
    smtpd_tls_key_file: `${folder}/etc/tls.key`,
    smtpd_tls_loglevel: "1",
    smtpd_tls_received_header: "yes",
    ...sending,
    ...besides,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  await Deno.writeTextFile(`${folder}/etc/main.cf`, lines.join(""));
  await Deno.writeTextFile(
    `${folder}/etc/master.cf`,
    services(`${hostname}:${port}`, sending !== undefined),
  );
}

/**
 * Nothing in a chroot, and nothing that takes mail but this address. Where `pickup` is missing,
 * postqueue takes all of it for stopped.
 */
function services(address: string, sends: boolean): string {
  const rows = [
    [address, "inet", "n", "-", "smtpd"],
    ["cleanup", "unix", "n", "0", "cleanup"],
    ["qmgr", "unix", "n", "1", "qmgr"],
    ["tlsmgr", "unix", "-", "1", "tlsmgr"],
    ["rewrite", "unix", "-", "-", "trivial-rewrite"],
    ["bounce", "unix", "-", "0", "bounce"],
    ["defer", "unix", "-", "0", "bounce"],
    ["trace", "unix", "-", "0", "bounce"],
    ["error", "unix", "-", "-", "error"],
    ["retry", "unix", "-", "-", "error"],
    ["proxymap", "unix", "-", "-", "proxymap"],
    ["anvil", "unix", "-", "1", "anvil"],
    ...sends
      ? [["pickup", "unix", "n", "1", "pickup"], ["smtp", "unix", "-", "-", "smtp"], [
        "scache",
        "unix",
        "-",
        "1",
        "scache",
      ]]
      : [],
    ["postlog", "unix-dgram", "n", "1", "postlogd"],
  ].map(([name, type, isPrivate, most, command]) =>
    `${name} ${type} ${isPrivate} - n - ${most} ${command}\n`
  );
  // The one that may write as somebody else.
  return rows.join("") + "virtual unix - n n - - virtual\n";
}

async function chown(user: string, path: string): Promise<void> {
  await output("chown", user, path);
}

/** Of nobody. */
async function idOf(which: "-u" | "-g"): Promise<string> {
  return (await output("id", which, "nobody")).trim();
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function listens({ hostname, port }: PostfixOptions): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
