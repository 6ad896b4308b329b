/**
 * Every file and every socket of the executable's whole life: start, mail for its users and for others,
 * reload, stop. What the configuration names is its business; all else is in a list, each with a reason.
 */

import assert from "node:assert/strict";
import { CERTIFICATE, KEY, TLS_SETTINGS } from "../support/certificate.ts";
import { startDaemon } from "../support/daemon.ts";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { makeFolder } from "../support/folder.ts";
import { freePort } from "../support/free_port.ts";
import { startMailNetwork } from "../support/mail_network.ts";
import { missing, skippable } from "../support/programs.ts";
import { reload } from "../support/reload.ts";
import { startSink } from "../support/smtp_sink.ts";
import {
  type FileCall,
  noStrace,
  readTrace,
  type SocketCall,
  type Trace,
  underStrace,
} from "../support/strace.ts";
import { submit } from "../support/submit.ts";
import { emptied } from "../support/waiting.ts";

/** What the executable reads beside its configuration, and why. It changes none of it. */
const READ: readonly (readonly [path: RegExp, reason: string])[] = [
  [/^\/etc\/ld\.so\.(cache|preload)$/, "the system's loader: where libraries are"],
  [
    /^(\/usr)?\/lib(64)?(\/[^/]+)?\/(libc|libm|libdl|librt|libpthread|libgcc_s)\.so\.\d+$/,
    "the C library",
  ],
  [/^\/proc\/self\/exe$/, "the runtime: where it is itself, its program is in it"],
  [/^\/proc\/(self|\d+)\/maps$/, "the C library and V8: where the stack ends"],
  [/^\/proc\/meminfo$/, "V8: how large its heap may become"],
  [/^\/proc\/(self|\d+)\/cgroup$/, "the runtime: how many processors it may use, by its group"],
  [/^\/sys\/fs\/cgroup\/(.*\/)?(cpu\.cfs_(quota|period)_us|cpu\.max)?$/, "the same"],
  [/^\/sys\/devices\/system\/cpu\/online$/, "the same, by the machine"],
  [/^\/sys\/devices\/system\/cpu\/cpu0\/tsc_freq_khz$/, "V8: how fast the processor's clock goes"],
  [/^\/dev\/urandom$/, "V8: a seed"],
  [/^\/etc\/localtime$/, "V8: the time zone, though the log is in UTC"],
  [/^\/usr\/share\/zoneinfo\//, "where that leads"],
  [/^\/etc\/resolv\.conf$/, "ourselves: the system's name servers"],
  [/^\/etc\/hosts$/, "the runtime's resolver: addresses there come before the name server's"],
];

interface Life {
  readonly trace: Trace;
  /** mail.conf, user.conf, certificate and key. */
  readonly files: readonly string[];
  /** Whether the executable can do TLS as a server; otherwise nobody needs the key. */
  readonly offersTls: boolean;
  /** Mailboxes and spool. */
  readonly directories: readonly string[];
  /** Where it was to listen. */
  readonly listening: string;
  /** Where it was to connect to. */
  readonly nameServer: string;
  readonly relay: string;
}

async function live(): Promise<Life> {
  await using home = await makeFolder();
  const relay = "127.0.0.2";
  await using network = await startMailNetwork({ "other.example": relay });
  await using _sink = await startSink({ hostname: relay, port: network.port });
  const file = `${home.path}/trace`;
  const port = freePort("127.0.0.1");
  await using daemon = await startDaemon({
    command: [EXECUTABLE],
    under: underStrace(file),
    environment: {},
    mail: `${network.mail}LISTEN_PORT = ${port}
${TLS_SETTINGS}
SPOOL_DIR = ${home.path}/spool
WORKERS = 2
`,
    users: `jones:${home.path}/jones\n`,
  });
  await submit(daemon.port, { to: ["jones@me.example"] });
  await submit(daemon.port, { to: ["jones@me.example", "mary@other.example"] });
  await emptied({ folder: home.path });
  const users = `jones:${home.path}/jones\nsmith:${home.path}/smith\n`;
  assert.match(await reload(daemon, { users }), / info reloaded /);
  await submit(daemon.port, { to: ["mary@other.example"] });
  await emptied({ folder: home.path });
  assert.equal((await daemon.stop()).code, 0);
  await daemon.logged(" info stopped");
  assert.equal(daemon.log().match(/ message sent /g)?.length, 2, daemon.log());
  return {
    trace: await readTrace(file, daemon.folder),
    files: [`${daemon.folder}/mail.conf`, `${daemon.folder}/user.conf`, CERTIFICATE, KEY],
    offersTls: !daemon.log().includes("STARTTLS not offered"),
    directories: ["spool", "jones", "smith"].map((name) => `${home.path}/${name}`),
    listening: `AF_INET 127.0.0.1:${port}`,
    nameServer: `AF_INET ${network.names.host}:${network.names.port}`,
    relay: `AF_INET ${relay}:${network.port}`,
  };
}

/** The directories that a path goes through. */
function above(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return ["/", ...parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`)];
}

/** Whether the configuration, or the list, has this file. */
function isExpected(
  { files, directories }: Life,
  { path, writes, follows, call }: FileCall,
): boolean {
  if (directories.some((one) => path === one || path.startsWith(`${one}/`))) return true;
  // Before a new mailbox is made, it is tried whether one can be, right above it.
  const trial = /^(.*)\/\.denosmtpd-try$/.exec(path);
  if (trial && directories.some((one) => above(one).includes(trial[1]!))) return true;
  if (writes) return false;
  const resolvConf = Deno.realPathSync("/etc/resolv.conf");
  const read = [...files, EXECUTABLE, resolvConf];
  if (read.includes(path) || READ.some(([one]) => one.test(path))) return true;
  // Links on the way are followed before a permission is looked up.
  if (follows && [...read, ...directories].some((one) => above(one).includes(path))) return true;
  // Where a link to the key leads decides who could read it.
  if (call === "statx" && files.some((one) => above(one).at(-1) === path)) return true;
  // It is listed to see whether it holds mailboxes alone.
  if (call === "newfstatat" && directories.some((one) => above(one).at(-1) === path)) return true;
  // A directory that was made is durable once the one above it is synced, and that once its own name is.
  return ["openat", "statx"].includes(call) &&
    directories.some((one) => above(one).slice(-2).includes(path));
}

/** What is not in `expected`, each once. */
function others<T>(all: readonly T[], expected: (one: T) => boolean): string[] {
  return [...new Set(all.filter((one) => !expected(one)).map((one) => JSON.stringify(one)))];
}

const NAME = "the executable touches no file and no socket but those it must";

Deno.test({
  ...skippable(NAME, notCompiled() ?? noStrace ?? missing(["smtp-sink"])),
  async fn(t) {
    const life = await live();
    const { trace: { files, sockets }, directories, listening, nameServer, relay } = life;

    await t.step("files", () => {
      assert.deepEqual(others(files, (one) => isExpected(life, one)), []);
      // The trace is whole: from the program's own start to mail that is in its place.
      assert.equal(files[0]?.path, EXECUTABLE);
      const moved = files.filter(({ call }) => call.startsWith("rename"));
      assert(moved.some(({ path }) => path.startsWith(`${directories[1]}/new/`)));
    });

    await t.step("key", () => {
      const touched = files.filter(({ path }) => path === KEY);
      assert(touched.length > 0);
      assert.equal(touched.some(({ call }) => call.startsWith("open")), life.offersTls);
    });

    await t.step("sockets", () => {
      const called = (...calls: string[]) => sockets.filter(({ call }) => calls.includes(call));
      const places = (...calls: string[]) => new Set(called(...calls).map(({ place }) => place));
      // The questions to the name server come from a port that nobody can guess.
      const questions = ({ args, place }: SocketCall) => {
        return /^\d+<UDP:/.test(args) && place?.startsWith("AF_INET 0.0.0.0:") === true;
      };
      // The kernel is asked for the addresses of this machine.
      const bound = [listening, "AF_NETLINK"];
      const binds = called("bind");
      const strange = others(binds, (one) => questions(one) || bound.includes(one.place ?? ""));
      assert.deepEqual(strange, []);
      assert(binds.some(({ place }) => place === listening));
      assert.deepEqual(places("connect"), new Set([nameServer, relay]));
      const sent = places("sendto", "sendmsg", "sendmmsg");
      const known = [undefined, nameServer, "AF_NETLINK"];
      assert.deepEqual(others([...sent], (place) => known.includes(place)), []);
      // Within the process alone: signals wake up the thread that waits for them.
      const pairs = called("socketpair");
      assert.deepEqual(others(pairs, ({ args }) => args.startsWith("AF_UNIX, SOCK_STREAM|")), []);
      const made = called("socket");
      const kinds = /^(AF_INET, SOCK_(STREAM|DGRAM)|AF_NETLINK, .*NETLINK_ROUTE\))/;
      assert.deepEqual(others(made, ({ args }) => kinds.test(args)), []);
    });
  },
});
