/**
 * The executable as its unit would run it: files where an installation puts them, the unit's
 * restrictions around it, a network of its own. `restricted.py` does that, as far as it can be done
 * without systemd.
 */

import type { Issued } from "../support/authority.ts";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { find, missingOrNotRoot, type Outcome, run } from "../support/programs.ts";
import { Running } from "./running.ts";

export const UNIT = new URL("../../conf/denosmtpd.service", import.meta.url).pathname;
const HERE = new URL(".", import.meta.url).pathname;
const PYTHON = find("python3") ?? "python3";

/** A machine's address besides 127.0.0.1, in the network of every installation. */
export const ADDRESS = "192.0.2.1";

/** What each installation has: relayed mail goes to `startFarHost`. */
const MAIL = "HOSTNAME = me.example\nLISTEN_ADDR = 0.0.0.0\nRELAY_HOST = 127.0.0.2:2525\n";
const FAR = "HOSTNAME = far.example\nLISTEN_ADDR = 127.0.0.2\nLISTEN_PORT = 2525\n";

/** Why units cannot be put up here, undefined where they can. */
export const noRestrictions = missingOrNotRoot(["python3"]) ?? obstacle();
/** Why the executable cannot be run under its unit here, undefined where it can. */
export const noInstallation = noRestrictions ?? notCompiled();

function obstacle(): string | undefined {
  const command = new Deno.Command(PYTHON, { args: ["-B", `${HERE}able.py`], stderr: "inherit" });
  const { success, stdout } = command.outputSync();
  return success ? new TextDecoder().decode(stdout) || undefined : "able.py failed";
}

/** The unit's user, who is known in an installation alone; rights.py makes it. */
const USER = 59025;

/** Where an installation keeps its certificate, for mail.conf. */
export const CERTIFICATE_SETTINGS = "TLS_CERT = /etc/denosmtpd/tls/fullchain.pem\n" +
  "TLS_KEY = /etc/denosmtpd/tls/privkey.pem\n";

export interface InstallationOptions {
  /** Lines of mail.conf besides those of MAIL. */
  readonly mail?: string;
  /** In /etc/denosmtpd/tls, which nobody but the unit's user may look into. */
  readonly certificate?: Issued;
  /** The whole of user.conf. */
  readonly users?: string;
  /** The text of a drop-in behind the unit. */
  readonly dropIn?: string;
  /** A unit to take instead. */
  readonly unit?: string;
  /** Where an empty directory is that everybody may write to. */
  readonly open?: string;
  /** What lies in the executable's place. */
  readonly executable?: string;
}

/** Files of an installation, and where the programs in it see them. */
export class Installation {
  private constructor(readonly folder: string, readonly args: readonly string[]) {}

  static async make(
    options: InstallationOptions = {},
  ): Promise<Installation> {
    const { mail = "", certificate, users = "jones:mail/jones\n" } = options;
    const { dropIn, unit, open, executable = EXECUTABLE } = options;
    const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
    for (const part of ["etc", "lib", "open"]) await Deno.mkdir(`${folder}/${part}`);
    await Deno.chmod(`${folder}/open`, 0o777);
    await Deno.writeTextFile(`${folder}/etc/mail.conf`, MAIL + mail);
    if (certificate) await putCertificate(`${folder}/etc/tls`, certificate);
    await Deno.writeTextFile(`${folder}/etc/user.conf`, users);
    await Deno.writeTextFile(`${folder}/unit`, unit ?? await Deno.readTextFile(UNIT));
    await Deno.writeTextFile(`${folder}/drop-in`, dropIn ?? "");
    return new Installation(folder, [
      `--unit=${folder}/unit`,
      `--unit=${folder}/drop-in`,
      `--put=${folder}/etc:/etc/denosmtpd`,
      `--put=${folder}/lib:/var/lib`,
      `--put=${executable}:/usr/local/bin/denosmtpd`,
      ...open ? [`--put=${folder}/open:${open}`] : [],
    ]);
  }

  /** The directory that is the service's own. */
  get state(): string {
    return `${this.folder}/lib/denosmtpd`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function putCertificate(folder: string, { certificate, key }: Issued): Promise<void> {
  await Deno.mkdir(folder, { mode: 0o700 });
  await Deno.writeTextFile(`${folder}/fullchain.pem`, certificate, { mode: 0o400 });
  await Deno.writeTextFile(`${folder}/privkey.pem`, key, { mode: 0o400 });
  for (const path of [folder, `${folder}/fullchain.pem`, `${folder}/privkey.pem`]) {
    await Deno.chown(path, USER, USER);
  }
}

/** Tries what `probe.py` tries, under a unit's restrictions. Returns what came of each. */
export async function probe(options: InstallationOptions): Promise<Record<string, string>> {
  // The executable does not run, and need not be there.
  await using installation = await Installation.make({ ...options, executable: UNIT });
  const program = new Running(PYTHON, [...restricted(installation), "--probe"]);
  const { code } = await program.end();
  if (code !== 0) throw new Error(program.log());
  return JSON.parse(program.log());
}

/** Starts the service. It need not come to serve. */
export function startService(installation: Installation): Running {
  return new Running(PYTHON, restricted(installation));
}

/** A mail server without restrictions in a service's network, which takes its mail to other hosts. */
export async function startFarHost(installation: Installation, service: Running): Promise<Running> {
  const folder = `${installation.folder}/far`;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/mail.conf`, FAR);
  await Deno.writeTextFile(`${folder}/user.conf`, "smith:smith\n");
  const host = new Running(PYTHON, beside(service, "mail.conf", "user.conf"), folder);
  try {
    await host.logged("started");
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

/** Sends a message to a service on port 25, as a client in its network does. */
export function send(service: Running, to: string): Promise<Outcome> {
  const options = ["--to", to, "--from", "client@client.example", "--server", "127.0.0.1:25"];
  const text = new TextEncoder().encode("Subject: under its unit\n\nHello\n");
  return run("python3", beside(service, "send", ...options), { input: text });
}

/** Python's arguments for the executable in a service's network, outside of all else around it. */
function beside(service: Running, ...words: string[]): string[] {
  return ["-B", `${HERE}beside.py`, String(service.pid), EXECUTABLE, ...words];
}

/** Python's arguments for an installation's service; `-B` leaves no compiled files behind. */
function restricted(installation: Installation): string[] {
  return ["-B", `${HERE}restricted.py`, ...installation.args];
}
