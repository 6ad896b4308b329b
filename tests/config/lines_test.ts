/** The lines of a configuration file, whichever editor wrote it. */

import assert from "node:assert/strict";
import { readLines } from "../../src/config/lines.ts";
import { ConfigurationError } from "../../src/config/problem.ts";
import { testWith } from "../support/programs.ts";

async function inFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "denosmtpd-test-" });
  try {
    return await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The lines of a file with this content as `number:text`. */
async function lines(content: string | Uint8Array): Promise<string[]> {
  return await inFolder(async (folder) => {
    const file = `${folder}/file`;
    await Deno.writeFile(file, typeof content === "string" ? encoder.encode(content) : content);
    return (await readLines(file)).map(({ number, text }) => `${number}:${text}`);
  });
}

const encoder = new TextEncoder();

const ROWS: readonly (readonly [what: string, content: string, ...lines: string[]])[] = [
  ["nothing", ""],
  ["blank lines", "\n  \n\t\n"],
  ["lines", "a\nb\n", "1:a", "2:b"],
  ["no line end at the end", "a\nb", "1:a", "2:b"],
  ["blanks around", "  a b \t\n\tc", "1:a b", "2:c"],
  ["numbers count every line", "\n# x\na\n\nb", "3:a", "5:b"],
  ["a comment", "# a\n  # b\n#\n##", ...[]],
  ["a comment behind a value", "a # b\nc\t# d # e\nf #", "1:a", "2:c", "3:f"],
  ["a # that is no comment", "a#b\na #b#c\n/x/#y", "1:a#b", "2:a", "3:/x/#y"],
  ["CR LF", "a\r\nb \r\n\r\nc", "1:a", "2:b", "4:c"],
  ["a comment with CR LF", "# a\r\nb # c\r\n", "2:b"],
  ["a byte order mark", "\ufeffa\nb", "1:a", "2:b"],
  ["a byte order mark and a comment", "\ufeff# a\nb", "2:b"],
  ["letters beyond ASCII", "é = ü # ö", "1:é = ü"],
  ["blanks that are not ASCII around", "\u00a0a\u00a0", "1:a"],
];

for (const [what, content, ...expected] of ROWS) {
  Deno.test(`lines: ${what}`, async () => {
    assert.deepEqual(await lines(content), expected);
  });
}

async function problem(file: string): Promise<string> {
  try {
    await readLines(file);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    assert.equal(error.problems.length, 1);
    assert.equal(error.problems[0]!.file, file);
    const [{ line, message } = assert.fail()] = error.problems;
    const place = line === undefined ? file : `${file}:${line}`;
    assert.equal(error.message, `${place}: ${message}`);
    return error.problems[0]!.message;
  }
  throw new assert.AssertionError({ message: "the file was read" });
}

Deno.test("a file that is not UTF-8 is told so", async () => {
  await inFolder(async (folder) => {
    for (const octets of [[0x61, 0xe9, 0x0a], [0xff, 0xfe, 0x61, 0x00], [0xc3], [0xc0, 0x80]]) {
      await Deno.writeFile(`${folder}/file`, Uint8Array.from(octets));
      assert.equal(await problem(`${folder}/file`), "is not UTF-8 text, save it in that encoding");
    }
  });
});

Deno.test("a file that is not there and a directory are told so", async () => {
  await inFolder(async (folder) => {
    assert.equal(await problem(`${folder}/none`), "there is no such file");
    assert.equal(await problem(`${folder}/none/none`), "there is no such file");
    assert.equal(await problem(folder), "is a directory or a device, not a file");
  });
});

Deno.test("whatever else is wrong with a file is said in one line", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const message = await problem(`${folder}/file/below`);
    assert.match(message, /^(there is no such file|cannot be read \([^\n]+\))$/);
  });
});

Deno.test({
  name: "a file that Deno may not read is told so",
  permissions: { read: false },
  fn: async () => {
    assert.equal(
      await problem("mail.conf"),
      "may not be read, Deno lacks --allow-read for it",
    );
  },
});

Deno.test("a file with control characters is told where they are, not shown them", async () => {
  await inFolder(async (folder) => {
    for (const text of ["a\n\nb\x1b[2J\n", "a\n\nb\rc\r", "\n\n\x00", "\n\na\x7f", "\n\na\x9bm"]) {
      await Deno.writeTextFile(`${folder}/file`, text);
      await assert.rejects(readLines(`${folder}/file`), (error) => {
        assert.ok(error instanceof ConfigurationError);
        assert.equal(error.message, `${folder}/file:3: holds a control character`);
        return true;
      });
    }
  });
});

Deno.test("a line that is too long is told so by its number alone", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, `a\n${"x".repeat(70_000)}\n`);
    assert.equal(await problem(`${folder}/file`), "is longer than 65536 characters");
  }));

Deno.test("characters that are not seen deceive nobody", () =>
  inFolder(async (folder) => {
    for (const hidden of ["\x1b", "\u202e", "\u200b", "\u2028", "\x85"]) {
      await Deno.writeTextFile(`${folder}/file`, `a${hidden}b\n`);
      assert.equal(await problem(`${folder}/file`), "holds a control character");
    }
  }));

testWith(["mkfifo"], "a pipe is not waited for", () =>
  inFolder(async (folder) => {
    await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    assert.equal(await problem(`${folder}/pipe`), "is a directory or a device, not a file");
  }));
