/** The way to a host's connection, and what ends it. */

import assert from "node:assert/strict";
import { ChannelError } from "../../src/relay/connection.ts";
import { HostMemory } from "../../src/relay/hosts.ts";
import { openConnection } from "../../src/relay/opening.ts";
import { Protection } from "../../src/relay/protection.ts";
import type { Target } from "../../src/relay/route.ts";
import { CollectingLog } from "../support/collecting_log.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeWire } from "../support/fake_wire.ts";

const TARGET: Target = { host: "mx.x.y", address: "198.18.0.1", port: 25 };

for (const [what, implicit] of [["the greeting", false], ["the handshake", true]] as const) {
  Deno.test(`an abort that comes just as the connection is there ends the wait for ${what}`, async () => {
    const [wire, aborted, clock] = [new FakeWire(), new AbortController(), new FakeClock()];
    wire.stalled = true;
    const dialer = {
      connect: () => {
        const { promise, resolve } = Promise.withResolvers<FakeWire>();
        resolve(wire);
        aborted.abort();
        return promise;
      },
    };
    const demands = { domain: "x.y", tls: "may", login: undefined, policy: undefined } as const;
    const opening = openConnection(
      TARGET,
      new Protection(TARGET, { ...demands, implicit }),
      { dialer, hosts: new HostMemory(clock, 1), clock, log: new CollectingLog(), host: "me.test" },
      aborted.signal,
    );
    await assert.rejects(opening, (error) => error instanceof ChannelError && !error.heard);
    assert.ok(wire.closed);
    assert.equal(clock.pending, 0);
  });
}
