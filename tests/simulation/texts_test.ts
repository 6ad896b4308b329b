/** What goes over the wire, end to end: texts, paths, parameters. */

import assert from "node:assert/strict";
import type { ServerOptions, SimulatedServer } from "./server.ts";
import { MINUTE, SECOND, World } from "./world.ts";

const FROM = "jones@me.example";

async function sent(
  text: string,
  options: ServerOptions = {},
): Promise<{ world: World; server: SimulatedServer; arrived: string | undefined }> {
  const world = await World.make();
  const [server] = world.domain("a.test", options);
  await world.submit({ from: FROM, to: ["x@a.test"], text });
  await world.run(MINUTE);
  return { world, server: server!, arrived: server!.arrivals[0]?.text };
}

/** The text behind the one field that this host puts on top. */
function below(text: string | undefined): string | undefined {
  return text?.replace(/^Received: from .*\r\n(?:[ \t].*\r\n)*/, "");
}

Deno.test("lines that begin with periods arrive as they were (CL-24)", async () => {
  const wide = "x".repeat(65_520);
  const texts = [
    ".\r\n",
    "..\r\n.a\r\n",
    "S: x\r\n\r\n.\r\n",
    `${wide}\r\n.\r\n..\r\n`,
    ".\r\n".repeat(50_000),
  ];
  for (const text of texts) assert.equal(below((await sent(text)).arrived), text);
});

Deno.test("a text gets a last CR LF where it has none, and no second one (CL-25)", async () => {
  assert.equal(below((await sent("S: x\r\n\r\nend\r\n")).arrived), "S: x\r\n\r\nend\r\n");
  assert.equal(below((await sent("S: x\r\n\r\nend\r\n\r\n")).arrived), "S: x\r\n\r\nend\r\n\r\n");
  assert.equal(below((await sent("S: x\r\n\r\nend")).arrived), "S: x\r\n\r\nend\r\n");
});

Deno.test("8-bit text is not sent to who does not offer 8BITMIME, but returned (CL-26)", async () => {
  const { world, server } = await sent("S: x\r\n\r\ncaf\xe9\r\n", { without: ["8BITMIME"] });
  assert.deepEqual(server.arrivals, []);
  assert.equal(world.reports()[0]?.recipients.get("x@a.test"), "5.6.3");
});

Deno.test("8-bit text arrives where 8BITMIME is offered, octet for octet (CL-26)", async () => {
  const text = "S: x\r\n\r\n\x01\x7f\x80\xff caf\xe9\r\n";
  const { server, arrived } = await sent(text);
  assert.equal(below(arrived), text);
  assert.ok(server.commands.some((command) => command.endsWith(" BODY=8BITMIME")));
});

Deno.test("no source route is made, no path gets longer, the null path is <> (CL-28)", async () => {
  const world = await World.make();
  const [server] = world.domain("a.test", {});
  await world.submit({ from: "", to: ['"a b"@a.test', "x@a.test"] });
  await world.run(SECOND);
  assert.match(
    server?.commands.find((command) => command.startsWith("MAIL")) ?? "",
    /^MAIL FROM:<>( |$)/,
  );
  const rcpt = server?.commands.filter((command) => command.startsWith("RCPT"));
  assert.deepEqual(rcpt, ['RCPT TO:<"a b"@a.test>', "RCPT TO:<x@a.test>"]);
});

Deno.test("the text gets one Received field on top and nothing else (CL-29)", async () => {
  const text =
    "Received: from a by b; Sun, 22 Nov 2026 12:00:00 +0000\r\nBcc: y@a.test\r\n\r\nx \r\n";
  const { arrived } = await sent(text);
  assert.ok(arrived?.endsWith(text));
  const top = arrived?.slice(0, -text.length) ?? "";
  assert.match(top, /^Received: from .*\r\n(?:[ \t].*\r\n)*$/);
});

Deno.test("parameters are those that are offered (CL-30)", async () => {
  const { server } = await sent("S: x\r\n\r\nx\r\n", {
    without: ["SIZE", "8BITMIME", "PIPELINING"],
  });
  assert.ok(server.commands.includes("MAIL FROM:<jones@me.example>"));
  assert.equal(server.arrivals.length, 1);
});

Deno.test("a message larger than a server says it takes is returned unsent (CL-30, DSN-6)", async () => {
  const { world, server } = await sent(`S: x\r\n\r\n${"x".repeat(2000)}\r\n`, {
    maxMessageSize: 1000,
  });
  assert.ok(!server.commands.some((command) => command.startsWith("MAIL")));
  assert.equal(world.reports()[0]?.recipients.get("x@a.test"), "5.3.4");
});

Deno.test("an envelope that somebody changed into commands is put aside (CL-31)", async () => {
  for (const path of ["a>\r\nRCPT TO:<b@a.test", "a\0@a.test", "a b@a.test", "a>b@a.test"]) {
    const world = await World.make();
    const [server] = world.domain("a.test", {});
    world.names.fault = () => "trouble";
    const id = await world.submit({ from: FROM, to: ["victim@a.test"] });
    await world.run(SECOND);
    await world.stop();
    const file = world.disk.files.get(`/spool/queue/${id}.json`)!;
    const changed = new TextDecoder().decode(file.bytes)
      .replace('"victim@a.test"', JSON.stringify(path));
    file.bytes = new TextEncoder().encode(changed);
    world.names.fault = () => undefined;
    await world.start();
    await world.run(10 * MINUTE);
    assert.deepEqual(server?.commands, [], path);
    assert.equal(world.paths("/spool/damaged/").length, 2, path);
  }
});
