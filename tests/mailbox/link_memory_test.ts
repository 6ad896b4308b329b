/** What is known of links beforehand: by pair and disk, and never more than there is room for. */

import assert from "node:assert/strict";
import { LinkMemory } from "../../src/mailbox/link_memory.ts";
import { MemoryDisk } from "../support/memory_disk.ts";

const elsewhere = Object.assign(new Error("no link"), { code: "EXDEV" });

Deno.test("what is known of a pair is known to all who use the disk, and of no other pair", () => {
  const disk = new MemoryDisk();
  assert.ok(LinkMemory.of(disk).wantsCopy("/john", "/jill", elsewhere));
  assert.ok(LinkMemory.of(disk).areApart("/john", "/jill"));
  assert.ok(!LinkMemory.of(disk).areApart("/jill", "/john"));
  assert.ok(!LinkMemory.of(disk).areApart("/john", "/jack"));
  assert.ok(!LinkMemory.of(new MemoryDisk()).areApart("/john", "/jill"));
});

Deno.test("a host of very many pairs begins to forget, and learns again", () => {
  const memory = LinkMemory.of(new MemoryDisk());
  for (let i = 0; i < 20_001; i++) memory.wantsCopy("/john", `/${i}`, elsewhere);
  assert.ok(!memory.areApart("/john", "/0"));
  assert.ok(memory.areApart("/john", "/20000"));
  memory.wantsCopy("/john", "/0", elsewhere);
  assert.ok(memory.areApart("/john", "/0"));
});
