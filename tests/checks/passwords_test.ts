/** Whether users can log in, and nobody else gets at their passwords' hashes. */

import assert from "node:assert/strict";
import { checkPasswords } from "../../src/checks/passwords.ts";
import type { Configuration } from "../../src/config/configuration.ts";
import { makeFolder } from "../support/folder.ts";

const hashOf = (cost: string) =>
  `$scrypt$${cost}$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8`;
const HASH = hashOf("ln=14,r=8,p=1");
const CHEAP = hashOf("ln=10,r=8,p=1");
const DEAR = hashOf("ln=15,r=8,p=2");

interface Setting {
  readonly hashes: readonly (string | undefined)[];
  readonly mail?: Partial<Configuration["mail"]>;
  readonly mode?: number;
}

/** The findings as `state: what is`, and what mends them. The file is called FILE. */
async function found({ hashes, mail = {}, mode = 0o600 }: Setting) {
  await using folder = await makeFolder();
  const file = `${folder.path}/user.conf`;
  await Deno.writeTextFile(file, "");
  await Deno.chmod(file, mode);
  const users = hashes.map((hash, i) => ({ name: `user${i}`, hash }));
  const configuration = { mail, users, files: { users: file } } as unknown as Configuration;
  const findings = await checkPasswords(configuration);
  const named = (text: string) => text.replaceAll(file, "FILE");
  return {
    is: findings.map(({ state, is }) => named(`${state}: ${is}`)),
    mend: findings.flatMap(({ mend = [] }) => mend.map(named)),
  };
}

const PORT = { SUBMISSIONS_PORT: 465 };

Deno.test("where nobody logs in there is nothing to say", async () => {
  assert.deepEqual(await found({ hashes: [undefined], mode: 0o644 }), { is: [], mend: [] });
});

Deno.test("hashes that the server's user alone can read are good", async () => {
  assert.deepEqual(await found({ hashes: [HASH, undefined, HASH], mail: PORT, mode: 0o640 }), {
    is: ["good: 2 of 3 users can log in, others cannot read the hashes"],
    mend: [],
  });
});

Deno.test("hashes that everybody can read are wrong, with what mends it", async () => {
  assert.deepEqual(await found({ hashes: [HASH], mail: PORT, mode: 0o644 }), {
    is: ["wrong: every user of the system can read the hashes in FILE"],
    mend: ["chmod o-r FILE"],
  });
});

for (const name of ["SUBMISSION_PORT", "SUBMISSIONS_PORT"] as const) {
  Deno.test(`${name} without a user who could log in is worth a note`, async () => {
    assert.deepEqual((await found({ hashes: [undefined], mail: { [name]: 587 } })).is, [
      `note: ${name} is set, but no user has one: denosmtpd passwd makes the third field`,
    ]);
  });
}

Deno.test("passwords without a port for them are worth a note", async () => {
  const { is } = await found({ hashes: [HASH] });
  assert.deepEqual(is.slice(1), [
    "note: users have some, but neither SUBMISSIONS_PORT nor SUBMISSION_PORT takes logins",
  ]);
});

for (
  const [hashes, names] of [
    [[HASH, CHEAP, undefined, HASH], "user1"],
    [[DEAR, HASH, CHEAP], "user0 and user2"],
    [[CHEAP, DEAR], "user0 and user1"],
    [[CHEAP, CHEAP], undefined],
    [[HASH, hashOf("ln=13,r=8,p=2")], undefined],
    [[DEAR], undefined],
  ] as const
) {
  Deno.test(`hashes that differ in cost are worth a note: ${names ?? "none do"}`, async () => {
    const { is } = await found({ hashes, mail: PORT });
    assert.deepEqual(
      is.slice(1),
      names === undefined ? [] : [
        "note: the hashes differ in cost, so the time that a login takes tells who has one; " +
        `make anew by denosmtpd passwd: ${names}`,
      ],
    );
  });
}
