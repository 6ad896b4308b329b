/** The hosts for mail that all goes through RELAY_HOST. */

import assert from "node:assert/strict";
import { NAME_SERVER_TROUBLE, refused, route, type World } from "./route_world.ts";

const B = { at: ["192.0.2.2"] };
const RELAY_HOST = { relayHost: { host: "relay.test", port: 587 } };

Deno.test("everything goes to RELAY_HOST, by its addresses and not by its MX records", async () => {
  const world: World = {
    "relay.test": { mx: [[10, "b.test"]], at: ["192.0.2.1", "127.0.0.1"] },
    "b.test": B,
    "x.test": { mx: [[0, ""]] },
  };
  for (const domain of ["x.test", "gone.test", "[192.0.2.2]", "[x:y]"]) {
    const targets = await route(world, domain, RELAY_HOST);
    assert.deepEqual(targets, ["relay.test 192.0.2.1:587", "relay.test 127.0.0.1:587"]);
  }
});

Deno.test("RELAY_HOST may be an address, and its port is that of all hosts unless it is set", async () => {
  for (const host of ["192.0.2.1", "127.0.0.1", "2001:db8::1"]) {
    const relayHost = { host, port: undefined };
    assert.deepEqual(await route({}, "x.test", { relayHost, port: 2525 }), [
      `${host} ${host}:2525`,
    ]);
  }
});

Deno.test("whatever is wrong with RELAY_HOST, the mail waits (BUG-25)", async () => {
  const worlds: World[] = [{}, { "relay.test": {} }, { "relay.test": "trouble" }];
  for (const world of worlds) await refused(NAME_SERVER_TROUBLE, world, "x.test", RELAY_HOST);
  const relayHost = { host: "relay.test", port: undefined };
  const own: World = { "relay.test": { at: ["192.0.2.1", "192.0.2.99"] } };
  await refused(/^451 4\.3\.5 /, own, "x.test", { relayHost });
  await refused(/^451 4\.3\.5 /, {}, "x.test", { relayHost: { host: "192.0.2.99", port: 25 } });
});
