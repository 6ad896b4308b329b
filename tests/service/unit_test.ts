/** What systemd says of the unit file. */

import assert from "node:assert/strict";
import { skippable } from "../support/programs.ts";
import { UNIT } from "./installation.ts";

/** The least exposure that a mail server with a just-in-time compiler can have is not much below. */
const MOST_EXPOSURE = 1.6;

function analyze(...args: string[]): { success: boolean; words: string } {
  const { success, stdout, stderr } = new Deno.Command("systemd-analyze", { args }).outputSync();
  const decoder = new TextDecoder();
  return { success, words: decoder.decode(stdout) + decoder.decode(stderr) };
}

function missingAnalyze(): string | undefined {
  try {
    // The first version that reads a unit which is not installed.
    const version = Number(/^systemd (\d+)/.exec(analyze("--version").words)?.[1]);
    return version >= 250 ? undefined : `systemd-analyze ${version} is older than 250`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "systemd-analyze is not installed";
    throw error;
  }
}

const reason = missingAnalyze();

Deno.test({
  ...skippable(`the unit's exposure is at most ${MOST_EXPOSURE}`, reason),
  fn() {
    const { words } = analyze("--no-pager", "security", "--offline=true", UNIT);
    const [, exposure] = /exposure level for denosmtpd\.service: ([\d.]+)/.exec(words) ?? [];
    assert(exposure, words);
    assert(Number(exposure) <= MOST_EXPOSURE, words);
  },
});

Deno.test({
  ...skippable("systemd has no complaint about the unit", reason),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
    try {
      // It wants to see an executable where the unit says that it is.
      const unit = (await Deno.readTextFile(UNIT)).replace(/^(ExecStart=)\S+/m, "$1/bin/sh");
      await Deno.writeTextFile(`${folder}/denosmtpd.service`, unit);
      const { words } = analyze("--no-pager", "--man=no", "verify", `${folder}/denosmtpd.service`);
      const lines = words.split("\n").filter((line) => line.includes("denosmtpd"));
      assert.deepEqual(lines, []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
