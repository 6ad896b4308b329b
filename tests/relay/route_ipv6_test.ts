/** What a machine without IPv6 does about hosts that have it. */

import assert from "node:assert/strict";
import { refused, route, type World } from "./route_world.ts";

Deno.test("without IPv6 beyond this machine only IPv4 and ::1 are tried (CL-5)", async () => {
  const world: World = {
    "x.test": { mx: [[10, "both.test"]] },
    "both.test": { at: ["192.0.2.2", "2001:db8::2", "::1"] },
  };
  const facts = { ipv6: false, loopback: true };
  const only = ["both.test 192.0.2.2:25", "both.test ::1:25"];
  assert.deepEqual(await route(world, "x.test", facts), only);
  await refused(/^451 4\.4\.1 /, world, "[IPv6:2001:db8::2]", facts);
  // It may have IPv6 another day: that is not for good.
  const only6: World = { "x.test": { at: ["2001:db8::2"] } };
  await refused(/^451 4\.4\.1 /, only6, "x.test", { ipv6: false });
});
