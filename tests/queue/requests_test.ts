/** Requests to a running daemon, which are files. */

import assert from "node:assert/strict";
import { type Request, Requests } from "../../src/queue/requests.ts";
import { MemoryDisk } from "../support/memory_disk.ts";
import { settled } from "../support/settled.ts";

const ID = "0123456789abcde";
const RETRY: Request = { kind: "retry", id: ID };
const REMOVE: Request = { kind: "remove", id: ID };
const RETRY_ALL: Request = { kind: "retry", id: "all" };

async function newRequests(): Promise<{ disk: MemoryDisk; requests: Requests }> {
  const disk = new MemoryDisk();
  await disk.makeDirectory("/spool/requests");
  return { disk, requests: new Requests(disk, "/spool") };
}

async function served(requests: Requests): Promise<Request[]> {
  const all: Request[] = [];
  await requests.serve((request) => {
    all.push(request);
    return Promise.resolve();
  });
  return all;
}

Deno.test("a request is pending until it is served, and is served once", async () => {
  const { requests } = await newRequests();
  for (const request of [RETRY, REMOVE, RETRY_ALL]) {
    assert.equal(await requests.pending(request), false);
    await requests.make(request);
    assert.equal(await requests.pending(request), true);
  }
  assert.deepEqual(await served(requests), [RETRY, REMOVE, RETRY_ALL]);
  for (const request of [RETRY, REMOVE, RETRY_ALL]) {
    assert.equal(await requests.pending(request), false);
  }
  assert.deepEqual(await served(requests), []);
});

Deno.test("a request that is made twice is one", async () => {
  const { requests } = await newRequests();
  await requests.make(RETRY);
  await requests.make(RETRY);
  assert.deepEqual(await served(requests), [RETRY]);
});

Deno.test("a request is pending while it is carried out", async () => {
  const { requests } = await newRequests();
  await requests.make(RETRY);
  await requests.serve(async (request) => {
    assert.equal(await requests.pending(request), true);
  });
});

Deno.test("a request that fails stays, and so does what comes behind it", async () => {
  const { requests } = await newRequests();
  await requests.make(RETRY);
  await requests.make(REMOVE);
  await assert.rejects(requests.serve(() => Promise.reject(new Error("no disk"))), /no disk/);
  assert.deepEqual(await served(requests), [RETRY, REMOVE]);
});

Deno.test("a disk that does not take a request is no silence", async () => {
  const { disk, requests } = await newRequests();
  disk.before = () => {
    throw new Deno.errors.PermissionDenied("requests");
  };
  await assert.rejects(requests.make(RETRY), Deno.errors.PermissionDenied);
  await assert.rejects(requests.pending(RETRY), Deno.errors.PermissionDenied);
});

Deno.test("file names that are no requests are left alone", async () => {
  const { disk, requests } = await newRequests();
  const names = [
    `drop-${ID}`,
    `retry-${ID}x`,
    `retry-${ID.slice(1)}`,
    `retry-${ID.toUpperCase()}`,
    `retry-${ID}.swp`,
    `.retry-${ID}`,
    "retry-",
    "retry",
    "remove-all",
    "remove-ALL",
    `retry-${ID}\n`,
    "README",
  ].map((name) => `/spool/requests/${name}`);
  for (const path of names) (await disk.create(path)).close();
  assert.deepEqual(await served(requests), []);
  assert.deepEqual([...disk.files.keys()], names);
});

/** Serves what is asked for, and every request waits for its `end`. */
function servedSlowly(requests: Requests) {
  const begun: Request[] = [];
  const ends: (() => void)[] = [];
  const serve = () =>
    requests.serve((request) => {
      begun.push(request);
      return new Promise((resolve) => ends.push(resolve));
    });
  return { begun, ends, serve };
}

Deno.test("a request that takes its time is begun once, and keeps no other waiting", async () => {
  const { requests } = await newRequests();
  const { begun, ends, serve } = servedSlowly(requests);
  await requests.make(REMOVE);
  const first = serve();
  await settled();
  await requests.make(RETRY);
  const second = serve();
  await settled();
  assert.deepEqual(begun, [REMOVE, RETRY]);
  ends[1]?.();
  await second;
  assert.equal(await requests.pending(RETRY), false);
  assert.equal(await requests.pending(REMOVE), true);
  ends[0]?.();
  await first;
  assert.equal(await requests.pending(REMOVE), false);
});

Deno.test("a request that was under way when the daemon ended is begun again by the next", async () => {
  const { disk, requests } = await newRequests();
  await requests.make(REMOVE);
  servedSlowly(requests).serve();
  await settled();
  assert.deepEqual(await served(new Requests(disk, "/spool")), [REMOVE]);
});

Deno.test("a request whose file cannot be removed is carried out once, and removed when it can be", async () => {
  const { disk, requests } = await newRequests();
  await requests.make(RETRY_ALL);
  let count = 0;
  const serve = () => requests.serve(() => Promise.resolve(void count++));
  disk.before = (operation) => {
    if (operation.startsWith("remove ")) throw new Deno.errors.PermissionDenied("requests");
  };
  for (let i = 0; i < 3; i++) await assert.rejects(serve(), Deno.errors.PermissionDenied);
  assert.equal(count, 1);
  disk.before = () => {};
  await serve();
  assert.equal(await requests.pending(RETRY_ALL), false);
  assert.equal(count, 1);
  await requests.make(RETRY_ALL);
  await serve();
  assert.equal(count, 2);
});

Deno.test("a request whose file somebody else had to remove can be made again", async () => {
  const { disk, requests } = await newRequests();
  await requests.make(RETRY);
  disk.before = (operation) => {
    if (operation.startsWith("remove ")) throw new Deno.errors.PermissionDenied("requests");
  };
  await assert.rejects(served(requests), Deno.errors.PermissionDenied);
  disk.before = () => {};
  await disk.remove(`/spool/requests/retry-${ID}`);
  assert.deepEqual(await served(requests), []);
  await requests.make(RETRY);
  assert.deepEqual(await served(requests), [RETRY]);
});
