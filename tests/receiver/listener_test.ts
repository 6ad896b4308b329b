/** Listening on both address families. */

import assert from "node:assert/strict";
import { listenAddresses, ListenError, openListeners } from "../../src/receiver/listener.ts";
import { startReceiver } from "../support/local_receiver.ts";
import { hasIpv6, skippable } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";

const noIpv6 = hasIpv6() ? undefined : "no ::1 on this machine";

Deno.test("each address is listened on once, the special ones stand for all they take", () => {
  const addresses = (...LISTEN_ADDR: string[]) => listenAddresses({ LISTEN_ADDR });
  assert.deepEqual(addresses("127.0.0.1", "127.0.0.1", "::1"), ["127.0.0.1", "::1"]);
  assert.deepEqual(addresses("0.0.0.0", "::", "::1"), ["::"]);
  assert.deepEqual(addresses("0.0.0.0", "127.0.0.1", "::1"), ["0.0.0.0", "::1"]);
});

Deno.test({
  ...skippable("both families are served, each with its address in the trace", noIpv6),
  fn: async () => {
    await using local = await startReceiver("LISTEN_ADDR = 127.0.0.1, ::1");
    const ports = local.receiver.addresses.map((address) => Number(address.split(":").at(-1)));
    for (const [i, hostname] of ["127.0.0.1", "::1"].entries()) {
      const client = await RawClient.connect(ports[i]!, hostname);
      await client.reply();
      for (const line of ["HELO a.example", "MAIL FROM:<>", "RCPT TO:<jones@me.example>", "DATA"]) {
        assert.match(await client.command(line) ?? "", /^(250|354) /);
      }
      assert.match(await client.command("x\r\n.") ?? "", /^250 /);
      client.close();
    }
    const texts = [...local.disk.files.values()].map(({ bytes }) =>
      new TextDecoder().decode(bytes)
    );
    assert.match(texts[0]!, /^Received: from a\.example \(\[127\.0\.0\.1\]\)$/m);
    assert.match(texts[1]!, /^Received: from a\.example \(\[IPv6:::1\]\)$/m);
  },
});

Deno.test({
  ...skippable("on :: an IPv4 client shows as what it is", noIpv6),
  fn: async () => {
    await using local = await startReceiver("LISTEN_ADDR = ::");
    const client = await RawClient.connect(local.port);
    await client.reply();
    const replies = [];
    for (
      const line of ["EHLO a", "MAIL FROM:<>", "RCPT TO:<jones@[127.0.0.1]>", "DATA", "x\r\n."]
    ) {
      replies.push(await client.command(line));
    }
    assert.match(replies.at(-1) ?? "", /^250 /);
    client.close();
    const [{ bytes } = assert.fail()] = local.disk.files.values();
    assert.match(new TextDecoder().decode(bytes), /\(\[127\.0\.0\.1\]\)/);
  },
});

Deno.test("a port that is taken, and an address that is not ours, are named in one line", () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const attempt = (address: string, port: number) => () =>
    openListeners([{ address, port, service: "smtp" }], { shared: false });
  assert.throws(attempt("127.0.0.1", taken.addr.port), (error) => {
    return error instanceof ListenError && error.kind === "taken" &&
      /^cannot listen on 127\.0\.0\.1:\d+: .*\S$/.test(error.message);
  });
  assert.throws(attempt("192.0.2.1", 0), (error) => {
    return error instanceof ListenError && error.kind === "other" &&
      /^cannot listen on 192\.0\.2\.1:0: .*address/.test(error.message);
  });
  taken.close();
});
