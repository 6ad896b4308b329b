/** What the system was told before the client was told 250, as strace has seen it. */

import assert from "node:assert/strict";
import { NOWHERE, startDaemon } from "../support/daemon.ts";
import { skippable } from "../support/programs.ts";
import { noStrace, readCalls, type TimedCall, underStrace } from "../support/strace.ts";
import { submit } from "../support/submit.ts";

/** Architectures do not have every one of the last three. */
const CALLS = "fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg,?rename,?renameat,?renameat2";

/** The one call like this. */
function only(calls: readonly TimedCall[], like: RegExp): TimedCall {
  const [call, ...others] = calls.filter(({ text }) => like.test(text));
  assert(call, `${like} is nowhere`);
  assert.deepEqual(others, [], `${like} comes again`);
  return call;
}

/** The system's part in one message. */
class Storing {
  readonly #calls: readonly TimedCall[];
  /** The reply to the text. */
  readonly answered: TimedCall;

  constructor(calls: readonly TimedCall[]) {
    const begun = only(calls, /^\w+\(\d+<TCP.*"354 /).done;
    this.#calls = calls.filter((call) => call.begun > begun);
    this.answered = only(this.#calls, /^\w+\(\d+<TCP.*"250 2\.0\.0 OK, stored/);
  }

  /** The last time that a file is written. */
  written(file: string): TimedCall {
    const written = this.#calls.findLast(({ text }) => {
      return new RegExp(`^p?write(v|64)?\\(\\d+<[^>]*${file}>`).test(text);
    });
    assert(written, `${file} is not written`);
    return written;
  }

  /** A file is written, synced, and then moved from one directory to another. */
  moved(name: string, from: string, to: string): TimedCall {
    const file = `${from}/${name}`;
    const written = this.written(file);
    const moved = only(this.#calls, new RegExp(`^rename(at|at2)?\\(.*${file}".*${to}/`));
    this.synced(file, written, moved);
    return moved;
  }

  /** A file or a directory is synced behind one call and before the other. */
  synced(path: string, behind: TimedCall, before: TimedCall): void {
    const sync = new RegExp(`^f(data)?sync\\(\\d+<[^>]*${path}>`);
    const synced = this.#calls.some(({ text, begun, done }) => {
      return sync.test(text) && begun > behind.done && done < before.begun;
    });
    assert(synced, `${path} is not synced between\n${behind.text}\nand\n${before.text}`);
  }
}

Deno.test({
  ...skippable(
    "250 is said when text, name and directory are synced, here and in the queue",
    noStrace,
  ),
  async fn() {
    const file = await Deno.makeTempFile({ prefix: "denosmtpd-test-" });
    try {
      await using daemon = await startDaemon({
        under: underStrace(file, CALLS),
        mail: `${NOWHERE}\nRELAY_FROM = 127.0.0.1\nSPOOL_DIR = spool`,
      });
      const id = await submit(daemon.port, { to: ["jones@me.example", "mary@other.example"] });
      assert.equal((await daemon.stop()).code, 0);

      const calls = await readCalls(file);
      const storing = new Storing(calls);
      const { answered } = storing;
      const name = '[^/">]*';
      const mailbox = storing.moved(name, "/mail/jones/tmp", "/mail/jones/new");
      storing.synced("/mail/jones/new", mailbox, answered);
      const queued = storing.moved(`receiver${name}${id}\\.eml`, "/spool/tmp", "/spool/queue");
      storing.synced("/spool/queue", queued, answered);
    } finally {
      await Deno.remove(file);
    }
  },
});
