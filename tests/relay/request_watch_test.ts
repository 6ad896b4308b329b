/** Requests are heard of whatever happens to their directory, on the real file system. */

import assert from "node:assert/strict";
import { relative } from "node:path";
import { SystemDisk } from "../../src/disk.ts";
import { type Request, Requests } from "../../src/queue/requests.ts";
import { LOOK, RENEWED, RequestWatch } from "../../src/relay/request_watch.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { type Folder, makeFolder } from "../support/folder.ts";
import { until } from "../support/until.ts";

class Place implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly log = new CollectingLog();
  readonly requests: Requests;
  readonly watch: RequestWatch;
  readonly obeyed: string[] = [];
  act = (_: Request): Promise<void> => Promise.resolve();
  #count = 0;

  /** The spool's directory is in the folder, and is called `spool`. */
  constructor(readonly folder: Folder, readonly spool: string) {
    this.requests = new Requests(new SystemDisk(), spool);
    this.watch = new RequestWatch({
      ...this,
      act: (request) => {
        this.obeyed.push(request.id);
        return this.act(request);
      },
    });
  }

  static async make(spoolOf = (folder: string) => `${folder}/spool`): Promise<Place> {
    const folder = await makeFolder();
    const place = new Place(folder, spoolOf(folder.path));
    await place.makeDirectory();
    return place;
  }

  async makeDirectory(): Promise<void> {
    await Deno.mkdir(this.requests.directory, { recursive: true });
  }

  /** Somebody asks for something that nobody has asked for. */
  async ask(): Promise<Request> {
    const request: Request = { kind: "retry", id: String(++this.#count).padStart(15, "0") };
    await this.requests.make(request);
    return request;
  }

  /** It is carried out while the clock stands still. */
  async hears(request: Request): Promise<void> {
    await until("a request carried out", async () => !await this.requests.pending(request));
    assert.ok(this.obeyed.includes(request.id));
  }

  /** There is a watch that hears. */
  async started(): Promise<void> {
    this.watch.start();
    await this.hears(await this.ask());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.stop();
    assert.equal(this.clock.pending, 0);
    await this.folder[Symbol.asyncDispose]();
  }
}

Deno.test("what was asked for before the watch, and what is asked for after, is carried out once", async () => {
  await using place = await Place.make();
  const early = await place.ask();
  place.watch.start();
  await place.hears(early);
  for (let i = 0; i < 3; i++) await place.hears(await place.ask());
  assert.equal(place.obeyed.length, 4);
  assert.deepEqual(place.log.all, []);
});

/** The same directory, from the root or from where this runs. */
const WAYS: Readonly<Record<string, (folder: string) => string>> = {
  "an absolute": (folder) => `${folder}/spool`,
  "a relative": (folder) => `${relative(Deno.cwd(), folder)}/spool`,
};

for (const [way, spoolOf] of Object.entries(WAYS)) {
  for (const part of ["queue and all", "requests alone"]) {
    Deno.test(`of ${way} spool, ${part} removed and made anew at once: the next request is heard`, async () => {
      await using place = await Place.make(spoolOf);
      await place.started();
      const gone = part === "requests alone" ? place.requests.directory : place.spool;
      // Before anybody can look.
      // deno-lint-ignore no-sync-fn-in-async-fn
      Deno.removeSync(gone, { recursive: true });
      // deno-lint-ignore no-sync-fn-in-async-fn
      Deno.mkdirSync(place.requests.directory, { recursive: true });
      await place.hears(await place.ask());
    });
  }
}

Deno.test("a spool that was moved away, and another in its place: heard within a minute, and from then on at once", async () => {
  await using place = await Place.make();
  await place.started();
  await Deno.rename(place.spool, `${place.folder.path}/away`);
  await place.makeDirectory();
  const request = await place.ask();
  place.clock.advance(RENEWED);
  await place.hears(request);
  await place.hears(await place.ask());
  assert.deepEqual(place.log.all, []);
});

Deno.test("a directory that is away for long is told of once, and watched when it is back", async () => {
  await using place = await Place.make();
  await place.started();
  await Deno.remove(place.requests.directory, { recursive: true });
  const told = () => place.log.fieldsOf("requests not watched");
  await until("a line", () => told().length > 0);
  for (let i = 0; i < 3; i++) {
    await until("the next look", () => place.clock.pending > 0);
    place.clock.advance(LOOK);
  }
  await place.makeDirectory();
  const request = await place.ask();
  await until("the next look", () => place.clock.pending > 0);
  place.clock.advance(LOOK);
  await place.hears(request);
  await place.hears(await place.ask());
  assert.deepEqual(told().map(({ look }) => look), ["every 5 s"]);
  assert.equal(place.log.all.length, 1);
});

Deno.test("a request that fails is told of, and tried again with the next look", async () => {
  await using place = await Place.make();
  place.act = () => Promise.reject(new Error("no disk"));
  place.watch.start();
  const request = await place.ask();
  await until("a line", () => place.log.fieldsOf("request failed").length > 0);
  place.act = () => Promise.resolve();
  place.clock.advance(RENEWED);
  await place.hears(request);
});

Deno.test("stopped before it began, twice, or while there is no directory, it ends", async () => {
  await using place = await Place.make();
  await place.watch.stop();
  place.watch.start();
  await place.watch.stop();
  await using other = await Place.make();
  await Deno.remove(other.requests.directory);
  other.watch.start();
  await until("a line", () => other.log.all.length > 0);
});
