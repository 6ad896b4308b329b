/** The header of the reported message, which goes back with the report. */

import assert from "node:assert/strict";
import { headerOf } from "../../src/queue/report.ts";
import { bytes, text, write, type Written } from "./written_report.ts";

const encodings = (written: Written) => [
  written.fields["Content-Transfer-Encoding"],
  ...written.parts.map(({ head }) => head.split("Encoding: ")[1]),
];

Deno.test("a 7-bit header goes back as it was, and nothing needs 8BITMIME (DSN-2)", () => {
  const header = "Subject: a=b =3D =\r\n\tfolded \t\r\nX: \x01\x1b\x7f\r\n";
  const written = write({ header: bytes(header) });
  assert.deepEqual(encodings(written), ["7bit", "7bit", "7bit", "7bit"]);
  // What could steer a terminal is not passed on.
  assert.equal(written.parts[2]!.body, header.replace("\x01\x1b\x7f", "???"));
});

Deno.test("an 8-bit header is encoded, and the whole is 7-bit all the same (DSN-2)", () => {
  const header = "Subject: \xc3\xa4\x80\xff =3D \r\n\tfolded\t\r\nX: \x01\x7f\r\n";
  const written = write({ header: bytes(header) });
  assert.deepEqual(encodings(written), ["7bit", "7bit", "7bit", "quoted-printable"]);
  assert.equal(
    written.parts[2]!.body,
    "Subject: =C3=A4=80=FF =3D3D=20\r\n\tfolded=09\r\nX: ??\r\n",
  );
  assert.equal(written.parts[2]!.content, header.replace("\x01\x7f", "??"));
});

Deno.test("each octet above 127 is reason enough to encode a header, and no other", () => {
  for (let octet = 1; octet < 256; octet++) {
    const header = Uint8Array.of(65, 58, 32, octet, 13, 10);
    const encoding = octet > 127 ? "quoted-printable" : "7bit";
    assert.equal(encodings(write({ header }))[3], encoding, `${octet}`);
  }
});

Deno.test("an 8-bit header that holds a boundary gets another", () => {
  const header = bytes("\xe4\r\n--report-2report-0--\r\n");
  assert.equal(write({ header }).parts[2]!.content, text(header));
});

Deno.test("a header that holds the boundaries gets another", () => {
  const boundaryOf = ({ fields }: Written) => /boundary="(.*)"/.exec(fields["Content-Type"]!)![1]!;
  let header = "";
  for (let i = 0; i < 5; i++) {
    header += `--${boundaryOf(write({ header: bytes(header) }))}--\r\n`;
  }
  assert.equal(write({ header: bytes(header) }).parts[2]!.body, header);
});

Deno.test("NUL and lone CR and LF in a header become ?, a line too long is cut and says so", () => {
  const long = "X".repeat(998);
  const header = `A: \0b\rc\nd\r\r\n\n\r\n${long}\r\n${long}X\r\n${"\xff".repeat(70_000)}`;
  assert.equal(
    write({ header: bytes(header) }).parts[2]!.content,
    `A: ?b?c?d?\r\n?\r\n${long}\r\n${"X".repeat(992)} [...]\r\n${"\xff".repeat(992)} [...]`,
  );
});

Deno.test("a message without a header is reported too", () => {
  assert.equal(write({ header: new Uint8Array(0) }).parts[2]!.body, "");
});

Deno.test("a header goes up to the empty line, in whole lines", () => {
  const cases: readonly (readonly [start: string, most: number, header: string])[] = [
    ["", 99, ""],
    ["\r\nbody\r\n", 99, ""],
    ["A: b\r\n\r\nbody\r\n\r\n", 99, "A: b\r\n"],
    ["A: b\r\nC: d\r\n", 99, "A: b\r\nC: d\r\n"],
    ["A: b\r\nC: d", 99, "A: b\r\n"],
    ["A: b\r\nC: d\r", 99, "A: b\r\n"],
    ["A: b\r\nC: d\r\n\r\n", 12, "A: b\r\nC: d\r\n"],
    ["A: b\r\nC: d\r\n\r\n", 11, "A: b\r\n"],
    ["A: b\r\n", 5, ""],
    ["A: b\n\nC\r\n\n\nD\r\r\n\r\nbody", 99, "A: b\n\nC\r\n\n\nD\r\r\n"],
  ];
  for (const [start, most, header] of cases) {
    assert.equal(text(headerOf(bytes(start), most)), header, JSON.stringify(start));
  }
});
