/** Certificates that nobody but themselves has signed, of any kind of key. Needs `openssl`. */

import type { Issued } from "./authority.ts";
import { makeFolder } from "./folder.ts";
import { succeed } from "./programs.ts";

/** A pair whose key is made by these options of `openssl req`, P-256 unless told. */
export async function makePair(...newKey: readonly string[]): Promise<Issued> {
  await using folder = await makeFolder();
  const [key, certificate] = [`${folder.path}/key`, `${folder.path}/certificate`];
  await succeed("openssl", [
    ...["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=mx.test"],
    ...newKey.length > 0 ? newKey : curve("P-256"),
    ...["-keyout", key, "-out", certificate],
  ]);
  return {
    certificate: await Deno.readTextFile(certificate),
    key: await Deno.readTextFile(key),
  };
}

/** The options for a key on this elliptic curve. */
export function curve(name: string): string[] {
  return ["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${name}`];
}
