/** The hosts for a domain and their order. What resolvers say is made up; route_dns_test.ts asks a real one. */

import assert from "node:assert/strict";
import { findTargets, RouteError } from "../../src/relay/route.ts";
import { replyText } from "../../src/smtp/reply.ts";
import {
  factsOf,
  MAIL_LOOP,
  NAME_SERVER_TROUBLE,
  NO_SUCH_DOMAIN,
  NO_USABLE_HOST,
  NULL_MX,
  OWN_ADDRESSES,
  refused,
  route,
  routeBy,
  type World,
  WorldResolver,
} from "./route_world.ts";

const A = { at: ["192.0.2.1"] };
const B = { at: ["192.0.2.2"] };
const A_TARGET = "a.test 192.0.2.1:25";
const B_TARGET = "b.test 192.0.2.2:25";

Deno.test("hosts come by preference, the lowest first (CL-1, CL-4)", async () => {
  const world: World = {
    "x.test": { mx: [[20, "b.test"], [3, "a.test"]] },
    "a.test": A,
    "b.test": B,
  };
  assert.deepEqual(await route(world, "x.test"), [A_TARGET, B_TARGET]);
});

Deno.test("a domain that does not exist is refused for good (CL-2)", async () => {
  await refused(NO_SUCH_DOMAIN, {}, "x.test");
});

Deno.test("trouble with the name servers is for now (CL-2, BUG-25)", async () => {
  await refused(NAME_SERVER_TROUBLE, { "x.test": "trouble" }, "x.test");
  await refused(NAME_SERVER_TROUBLE, { "x.test": { mx: "trouble", ...A } }, "x.test");
  await refused(NAME_SERVER_TROUBLE, { "x.test": { at: "trouble" } }, "x.test");
});

Deno.test("a domain without MX records is its own host (CL-2)", async () => {
  assert.deepEqual(await route({ "x.test": A }, "x.test"), ["x.test 192.0.2.1:25"]);
});

Deno.test("a domain with neither MX records nor addresses is refused for good (CL-2)", async () => {
  await refused(NO_USABLE_HOST, { "x.test": {} }, "x.test");
});

Deno.test("a domain with MX records is never its own host (CL-3)", async () => {
  const world: World = { "x.test": { mx: [[10, "bare.test"], [20, "gone.test"]], ...A } };
  await refused(NO_USABLE_HOST, { ...world, "bare.test": {} }, "x.test");
});

Deno.test("an MX host that is no domain name is not even looked up (CL-3)", async () => {
  for (const host of ["a b", "x..test", "-"]) {
    const world: World = { "x.test": { mx: [[10, host]], ...A }, [host]: B };
    await refused(NO_USABLE_HOST, world, "x.test");
  }
});

Deno.test("an MX host without an address is passed over (CL-3)", async () => {
  const world: World = {
    "x.test": { mx: [[10, "gone.test"], [10, "bare.test"], [20, "b.test"]] },
    "bare.test": {},
    "b.test": B,
  };
  assert.deepEqual(await route(world, "x.test"), [B_TARGET]);
});

Deno.test("a host whose look-up failed is passed over, and waited for if it was the only one (BUG-25)", async () => {
  const mx = [[10, "bad.test"], [20, "b.test"], [30, "gone.test"]] as const;
  const world: World = { "x.test": { mx }, "bad.test": "trouble", "b.test": B };
  const targets = findTargets("x.test", factsOf(new WorldResolver(world)));
  assert.equal((await targets.next()).value?.host, "b.test");
  // That one in vain: the other is still to be asked.
  await assert.rejects(targets.next(), ({ reply }) => reply.status === "4.4.3");
  await refused(NAME_SERVER_TROUBLE, { ...world, "b.test": {} }, "x.test");
});

Deno.test("an MX host with an underscore in its name is used (CL-6)", async () => {
  const world: World = { "x.test": { mx: [[10, "a_b.test"]] }, "a_b.test": B };
  assert.deepEqual(await route(world, "x.test"), [B_TARGET.replace("b.test", "a_b.test")]);
});

Deno.test("equal hosts come first equally often (CL-4)", async () => {
  const mx = ["a.test", "b.test", "c.test"].map((host) => [10, host] as const);
  const world: World = {
    "x.test": { mx },
    "a.test": A,
    "b.test": B,
    "c.test": { at: ["192.0.2.3"] },
  };
  // Each of the six orders takes a sixth of all pairs of random numbers.
  const orders = new Map<string, number>();
  for (let first = 0; first < 12; first++) {
    for (let second = 0; second < 12; second++) {
      const numbers = [(first + 0.5) / 12, (second + 0.5) / 12];
      const targets = await route(world, "x.test", { random: () => numbers.shift() ?? 0 });
      const order = targets.map((target) => target.charAt(0)).join("");
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
  }
  const each = ["abc", "acb", "bac", "bca", "cab", "cba"].map((order) => [order, 24]);
  assert.deepEqual([...orders].sort(), each);
});

Deno.test("of two equal hosts either is first about every other time (CL-4)", async () => {
  const world: World = {
    "x.test": { mx: [[1, "a.test"], [1, "b.test"]] },
    "a.test": A,
    "b.test": B,
  };
  let first = 0;
  for (let i = 0; i < 200; i++) {
    const [target] = await route(world, "x.test", { random: Math.random });
    if (target === A_TARGET) first++;
  }
  // Five standard deviations around the half.
  assert.ok(first > 64 && first < 136, `${first} of 200`);
});

Deno.test("a host's addresses come in the resolver's order, each once (CL-5)", async () => {
  const world: World = {
    "x.test": { mx: [[10, "a.test"], [20, "b.test"]] },
    "a.test": { at: ["192.0.2.2", "192.0.2.1", "2001:DB8::1", "::ffff:192.0.2.2"] },
    "b.test": { at: ["2001:db8:0::1", "192.0.2.3", "192.0.2.1"] },
  };
  assert.deepEqual(await route(world, "x.test"), [
    "a.test 192.0.2.2:25",
    "a.test 192.0.2.1:25",
    "a.test 2001:db8::1:25",
    "b.test 192.0.2.3:25",
  ]);
});

Deno.test("this host by name ends the list, and what is equal goes too (CL-7, BUG-22)", async () => {
  const mx = [[30, "b.test"], [20, "me.test"], [20, "b.test"], [10, "a.test"]] as const;
  const world: World = { "x.test": { mx }, "a.test": A, "b.test": B, "me.test": B };
  const resolver = new WorldResolver(world);
  assert.deepEqual(await routeBy(factsOf(resolver), "x.test"), [A_TARGET]);
  assert.deepEqual(resolver.lookedUp, ["a.test"]);
});

Deno.test("this host by address ends the list, and what is equal goes too (CL-7, BUG-22)", async () => {
  for (const own of OWN_ADDRESSES) {
    const mx = [[30, "b.test"], [20, "b.test"], [20, "alias.test"], [10, "a.test"]] as const;
    const world: World = {
      "x.test": { mx },
      "a.test": A,
      "b.test": B,
      "alias.test": { at: ["192.0.2.5", own] },
    };
    assert.deepEqual(await route(world, "x.test"), [A_TARGET]);
  }
});

Deno.test("where only this host is left the mail is in a loop (CL-7, BUG-22)", async () => {
  const own = { at: ["192.0.2.99"] };
  const loops: World[] = [
    { "x.test": { mx: [[10, "me.test"], [20, "b.test"]] }, "b.test": B },
    { "x.test": { mx: [[10, "alias.test"], [20, "b.test"]] }, "alias.test": own, "b.test": B },
    { "x.test": { mx: [[5, "gone.test"], [10, "alias.test"]] }, "alias.test": own },
    { "x.test": own },
  ];
  for (const world of loops) await refused(MAIL_LOOP, world, "x.test");
  await refused(MAIL_LOOP, { "me.test": A }, "me.test");
});

Deno.test("trouble with a better host than this one is waited for (CL-7, BUG-25)", async () => {
  const world: World = {
    "x.test": { mx: [[10, "bad.test"], [20, "me.test"]] },
    "bad.test": "trouble",
  };
  await refused(NAME_SERVER_TROUBLE, world, "x.test");
});

Deno.test("another port of this machine is not this daemon (CL-7)", async () => {
  const world: World = { "x.test": { at: ["192.0.2.99"] } };
  assert.deepEqual(await route(world, "x.test", { port: 2525 }), ["x.test 192.0.2.99:2525"]);
});

Deno.test("a null MX is refused at once, nothing more is asked (CL-8, BUG-23)", async () => {
  const resolver = new WorldResolver({ "x.test": { mx: [[0, ""]], ...A } });
  await assert.rejects(routeBy(factsOf(resolver), "x.test"), (error) => {
    return error instanceof RouteError && NULL_MX.test(replyText(error.reply));
  });
  assert.deepEqual(resolver.lookedUp, []);
});

Deno.test("a null MX among others is passed over (CL-8)", async () => {
  const world: World = { "x.test": { mx: [[0, ""], [10, "a.test"]] }, "a.test": A };
  assert.deepEqual(await route(world, "x.test"), [A_TARGET]);
});

const NOWHERE = ["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "255.255.255.255", "ff02::1"];
const LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"];

Deno.test("addresses that no other host can have are passed over (CL-9, BUG-22)", async () => {
  for (const address of [...NOWHERE, ...LOOPBACK]) {
    const world: World = {
      "x.test": { mx: [[10, "bad.test"], [20, "b.test"]] },
      "bad.test": { at: [address] },
      "b.test": B,
    };
    assert.deepEqual(await route(world, "x.test"), [B_TARGET]);
    await refused(NO_USABLE_HOST, { ...world, "b.test": {} }, "x.test");
  }
});

Deno.test("a host called localhost is passed over, wherever it is said to be (CL-9)", async () => {
  for (const name of ["localhost", "mail.localhost"]) {
    const world: World = { "x.test": { mx: [[10, name], [20, "b.test"]] }, [name]: A, "b.test": B };
    assert.deepEqual(await route(world, "x.test"), [B_TARGET]);
    await refused(NO_USABLE_HOST, world, name);
  }
});

Deno.test("a daemon on loopback alone relays to others there (CL-9)", async () => {
  const loopback = { loopback: true };
  for (const address of ["127.0.0.2", "::1"]) {
    const targets = await route({ "x.test": { at: [address] } }, "x.test", loopback);
    assert.deepEqual(targets, [`x.test ${address}:25`]);
    const literal = address.includes(":") ? `[IPv6:${address}]` : `[${address}]`;
    assert.deepEqual(await route({}, literal, loopback), [`${literal} ${address}:25`]);
  }
  for (const address of NOWHERE) {
    await refused(NO_USABLE_HOST, { "x.test": { at: [address] } }, "x.test", loopback);
  }
});

Deno.test("an address literal is connected to, no name is looked up (CL-11)", async () => {
  assert.deepEqual(await route({}, "[192.0.2.1]"), ["[192.0.2.1] 192.0.2.1:25"]);
  assert.deepEqual(await route({}, "[IPv6:2001:db8::1]"), [
    "[IPv6:2001:db8::1] 2001:db8::1:25",
  ]);
});

Deno.test("an address literal of this host is a loop (CL-11, BUG-22)", async () => {
  for (const literal of ["[192.0.2.99]", "[IPv6:2001:db8::99]"]) {
    await refused(MAIL_LOOP, {}, literal);
  }
});

Deno.test("an address literal that leads nowhere is refused for good (CL-11, BUG-22)", async () => {
  for (const literal of ["[127.0.0.1]", "[IPv6:::1]", "[0.0.0.0]", "[x:y]", "[224.0.0.1]"]) {
    await refused(NO_SUCH_DOMAIN, {}, literal);
  }
});

const SIXTY = Array.from({ length: 60 }, (_, i) => `mx${i}.test`);

Deno.test("of 60 equal hosts ten are looked up, any of them", async () => {
  const world: World = { "x.test": { mx: SIXTY.map((host) => [10, host]) } };
  const resolver = new WorldResolver(world);
  await assert.rejects(routeBy(factsOf(resolver, { random: () => 0.99 }), "x.test"));
  assert.deepEqual(resolver.lookedUp, SIXTY.slice(-10).reverse());
});

Deno.test("of 60 hosts one after the other 20 are tried, of 60 that are nowhere 30 are looked up", async () => {
  const mx = SIXTY.map((host, i) => [i, host] as const);
  const hosts = SIXTY.map((host, i) => [host, { at: [`192.0.2.${i + 100}`] }] as const);
  const facts = { isOwnAddress: () => false };
  const targets = await route({ "x.test": { mx }, ...Object.fromEntries(hosts) }, "x.test", facts);
  assert.deepEqual(targets.map((target) => target.split(" ")[0]), SIXTY.slice(0, 20));

  const resolver = new WorldResolver({ "x.test": { mx } });
  await assert.rejects(routeBy(factsOf(resolver), "x.test"));
  assert.deepEqual(resolver.lookedUp, SIXTY.slice(0, 30));
});

Deno.test("worse hosts are looked up when the better ones have been tried", async () => {
  const resolver = new WorldResolver({
    "x.test": { mx: [[10, "a.test"], [10, "b.test"], [20, "c.test"]] },
    "a.test": A,
    "b.test": B,
  });
  const targets = findTargets("x.test", factsOf(resolver));
  assert.equal((await targets.next()).value?.host, "a.test");
  assert.deepEqual(resolver.lookedUp, ["a.test", "b.test"]);
  await targets.return();
});

Deno.test("what the resolver did not foresee is no verdict", async () => {
  const resolver = new WorldResolver({});
  resolver.mx = () => Promise.reject(new TypeError("a mistake of ours"));
  await assert.rejects(routeBy(factsOf(resolver), "x.test"), TypeError);
});
