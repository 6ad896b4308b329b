/** What this Deno's TLS can do. An executable carries the Deno that it was made by. */

/** The first one whose node:tls does a server's handshake over any bytes, and judges certificates. */
const FIRST = [2, 7, 13];

const version = Deno.version.deno.split(/[.+-]/).map(Number);

/** Whether connections can be secured here as server. */
export const hasServerTls: boolean = isAtLeast(version, FIRST);

/**
 * Whether a client here knows if the server's certificate is valid. Where it does not, every one counts
 * as valid, and one that is not to be accepted is refused only after the handshake is called done.
 */
export const judgesCertificates: boolean = isAtLeast(version, FIRST);

/** Why not, in words for people. */
export const NO_SERVER_TLS = cannot("do TLS as a server");
export const NO_JUDGEMENT = cannot("verify the certificates of servers");

function cannot(what: string): string {
  return `made with Deno ${Deno.version.deno}, which cannot ${what}; ${
    FIRST.join(".")
  } and later can`;
}

function isAtLeast(version: readonly number[], least: readonly number[]): boolean {
  for (const [i, wanted] of least.entries()) {
    const part = version[i] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
