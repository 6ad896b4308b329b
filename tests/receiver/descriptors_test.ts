/** Out of file descriptors the daemon waits, logs, and serves again when there are some. */

import assert from "node:assert/strict";
import { startDaemon } from "../support/daemon.ts";
import { testWith } from "../support/programs.ts";
import { RawClient } from "../support/raw_client.ts";

testWith(["prlimit"], "the accept loop survives EMFILE", async () => {
  await using daemon = await startDaemon({
    mail: "MAX_CLIENTS = 1001\nMAX_CLIENTS_PER_ADDRESS = 1000",
    under: ["prlimit", "--nofile=60:60"],
  });
  // That this will come was said at the start.
  assert.match(
    daemon.log(),
    / warn too few descriptors setting=MAX_CLIENTS wanted=1201 free=\d\d? mend="LimitNOFILE /,
  );
  const clients: RawClient[] = [];
  for (let i = 0; i < 80; i++) clients.push(await RawClient.connect(daemon.port));
  await daemon.logged("accept failed");
  clients.forEach((client) => client.close());
  const next = await RawClient.connect(daemon.port);
  assert.match(await next.reply() ?? "", /^220 /);
  assert.match(await next.command("QUIT") ?? "", /^221 /);
  next.close();
  assert.equal((await daemon.stop()).code, 0);
});

testWith(["prlimit"], "where there are enough nothing is said of them", async () => {
  await using daemon = await startDaemon({
    mail: "MAX_CLIENTS = 1001",
    under: ["prlimit", "--nofile=1400:1400"],
  });
  assert.doesNotMatch(daemon.log(), /descriptors/);
});
