/** The real daemon with all three services, a certificate of a test's own authority and users who log in. */

import type { Service } from "../../src/config/service.ts";
import { hashPassword, SALT_LENGTH } from "../../src/config/password.ts";
import { makeAuthority } from "./authority.ts";
import { type Daemon, type DaemonOptions, NOWHERE, startDaemon } from "./daemon.ts";

/** The daemon's own name. Its certificate is also for `localhost` and 127.0.0.1. */
export const HOST = "mx.test";
/** Of jones and smith. Clients that put it into a URL or a line of words must do so with care. */
export const PASSWORD = "correct horse: 50% #1";

export interface SecuredDaemon extends Daemon {
  /** Of the authority that issued its certificate, as PEM. */
  readonly authority: string;
  /** The path of the same. */
  readonly authorityFile: string;
}

/** All services, the two that are for users last. */
export const SERVICES: readonly Service[] = ["smtp", "submission", "submissions"];

/**
 * Starts one with the users jones and smith; nobody relays without a login, and what is for other
 * hosts waits, unless `mail` says otherwise. Needs `openssl`.
 */
export async function startSecuredDaemon(
  { mail = "", ...options }: Pick<DaemonOptions, "mail" | "command"> = {},
): Promise<SecuredDaemon> {
  await using authority = await makeAuthority();
  const { certificate, key } = await authority.issue([HOST, "localhost", "127.0.0.1"]);
  const presets = {
    HOSTNAME: HOST,
    RELAY_FROM: "none",
    TLS_CERT: "tls.crt",
    TLS_KEY: "tls.key",
    SUBMISSION_PORT: "0",
    SUBMISSIONS_PORT: "0",
  };
  const lines = Object.entries(presets).filter(([name]) => !mail.includes(name))
    .map(([name, value]) => `${name} = ${value}`);
  const relay = /^(RELAY_HOST|NAME_SERVER) /m.test(mail) ? [] : [NOWHERE];
  const hash = await hashPassword(
    new TextEncoder().encode(PASSWORD),
    crypto.getRandomValues(new Uint8Array(SALT_LENGTH)),
  );
  const daemon = await startDaemon({
    ...options,
    mail: [...lines, ...relay, mail].join("\n"),
    users: ["jones", "smith"].map((name) => `${name}:mail/${name}:${hash}\n`).join(""),
    files: { "tls.crt": certificate, "tls.key": key, "authority.crt": authority.certificate },
  });
  return {
    ...daemon,
    authority: authority.certificate,
    authorityFile: `${daemon.folder}/authority.crt`,
  };
}
