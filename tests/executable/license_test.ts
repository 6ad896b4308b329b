/** What is compiled in of others comes with their terms. */

import assert from "node:assert/strict";
import { EXECUTABLE, notCompiled } from "../support/executable.ts";
import { skippable } from "../support/programs.ts";

Deno.test({
  ...skippable("the executable shows the licence of each package in it", notCompiled()),
  async fn() {
    const { stdout } = await new Deno.Command(EXECUTABLE, { args: ["--license"] }).output();
    const text = new TextDecoder().decode(stdout);
    for (const name of ["dns-packet@", "@leichtgewicht/ip-codec@", "@logtape/logtape@"]) {
      const [, licence] =
        new RegExp(`\n${name}[0-9.]+\n([^]*?)\n-{72}`).exec(`${text}${"-".repeat(72)}`) ??
          [];
      assert.match(licence ?? "", /Copyright/, name);
    }
  },
});
