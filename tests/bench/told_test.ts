import assert from "node:assert/strict";
import { fileSystemIn } from "./machine.ts";
import { latestCount } from "./next_hop.ts";
import { recipientsOf } from "./source.ts";

Deno.test("the count of smtp-sink is its last whole one", () => {
  assert.equal(
    latestCount("sess=1 quit=0 mesg=9\rsess=2 quit=1 mesg=10\rsess=2 quit=1 mesg=1"),
    10,
  );
  assert.equal(latestCount("quit=0 mesg=12\r"), 12);
  assert.equal(latestCount(""), 0);
});

Deno.test("a path is on the innermost file system that is mounted above it", () => {
  const mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tm xfs rw 0 0\n";
  assert.equal(fileSystemIn(mounts, "/tmp/bench"), "tmpfs at /tmp");
  assert.equal(fileSystemIn(mounts, "/home"), "ext4 at /");
  assert.equal(fileSystemIn("", "/home"), "unknown file system");
});

Deno.test("several recipients have numbers in front, as smtp-source gives them", () => {
  assert.deepEqual(recipientsOf({ to: "box" }), ["box"]);
  assert.deepEqual(recipientsOf({ to: "box", recipients: 3 }), ["box", "2box", "3box"]);
});
