/** Whether a client is whom it says it is, and how often it may be wrong. */

import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { dummyHash, verifyPassword } from "../config/password.ts";
import type { User } from "../config/user_conf.ts";
import type { Log } from "../log.ts";
import type { Credentials } from "../smtp/sasl.ts";
import { networkOf } from "./client_network.ts";
import { LoginLimits } from "./login_limits.ts";
import { LoginLine } from "./login_line.ts";

export type LoginOutcome =
  /** `user` as user.conf spells it. */
  | { readonly kind: "accepted"; readonly user: string }
  | { readonly kind: "refused" }
  /** Not now; whether the password is right was not found out. */
  | { readonly kind: "limited" };

export interface LoginClient {
  /** In canonical form. */
  readonly address: string;
  /** `address:port`, for the log. */
  readonly peer: string;
}

/** What logins take from outside; a test hands in its own. */
export interface LoginParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Whether a password is that of a hash. */
  readonly verify?: (hash: string, password: Uint8Array) => Promise<boolean>;
}

/** Passwords verified at once. Each takes up to a core, and its memory. */
const AT_ONCE = 2;
/** Attempts that may wait for that. */
const MOST_WAITING = 64;
/** Characters of a name that somebody made up. */
const LONGEST_SHOWN = 100;
/** Characters by which names are told apart; no user's has more. */
const LONGEST_NAME = 64;

const REFUSED: LoginOutcome = { kind: "refused" };
const LIMITED: LoginOutcome = { kind: "limited" };

/** One attempt, with what it is counted under. */
interface Attempt {
  readonly credentials: Credentials;
  readonly peer: string;
  readonly network: string;
  readonly name: string;
  readonly fingerprint: string;
}

/** Judges the credentials of all connections of a thread. */
export class Logins {
  /** Those who have a password, by their names in lower case. */
  readonly #users = new Map<string, { readonly name: string; readonly hash: string }>();
  readonly #isLocal: (domain: string) => boolean;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #verify: (hash: string, password: Uint8Array) => Promise<boolean>;
  readonly #limits = new LoginLimits();
  readonly #line: LoginLine;
  /** Verified against where there is no user, so that it takes as long. */
  readonly #nobodys: string;
  /** What is remembered of wrong passwords is of no use to who reads it, as most are nearly right. */
  readonly #key = randomBytes(32);
  /** What ends each pause. */
  readonly #pauses = new Set<() => void>();
  #closed = false;

  /** `isLocal` is whether mail for a domain ends here. */
  constructor(
    users: readonly User[],
    isLocal: (domain: string) => boolean,
    { clock, log, verify = verifyPassword }: LoginParts,
  ) {
    for (const { name, hash } of users) {
      if (hash !== undefined) this.#users.set(name.toLowerCase(), { name, hash });
    }
    this.#nobodys = dummyHash([...this.#users.values()].map(({ hash }) => hash));
    this.#isLocal = isLocal;
    this.#clock = clock;
    this.#log = log;
    this.#verify = verify;
    this.#line = new LoginLine({
      clock,
      places: AT_ONCE,
      most: MOST_WAITING,
      standing: (network) => this.#limits.standing(network, clock.now()),
    });
  }

  /**
   * Judges credentials, perhaps after a pause of up to 16 seconds. An unknown name is treated in all as
   * one with another password.
   */
  async check(credentials: Credentials, { address, peer }: LoginClient): Promise<LoginOutcome> {
    const name = this.#nameOf(credentials.name);
    const fingerprint = this.#fingerprint(name, credentials.password);
    const attempt = { credentials, peer, name, fingerprint, network: networkOf(address) };
    if (this.#isRepeated(attempt)) return this.#repeated(attempt);
    const wait = this.#limits.enter(attempt.network, name, this.#clock.now());
    if (wait === undefined) {
      const another = this.#limits.isWaiting(attempt.network);
      return this.#limited(attempt, another ? "another login waits" : "too many failures");
    }
    if (wait > 0) {
      await this.#pause(wait);
      this.#limits.waited(attempt.network);
    }
    if (!await this.#line.turn(attempt.network)) {
      return this.#limited(attempt, this.#closed ? "stopping" : "too many logins at once");
    }
    try {
      return await this.#judge(attempt);
    } finally {
      this.#line.leave(attempt.network);
    }
  }

  /** Lets nobody wait any more: whoever does is `limited`. */
  close(): void {
    this.#closed = true;
    this.#line.close();
    for (const end of this.#pauses) end();
  }

  /** While it waited the same network may have failed, with the same password even. */
  async #judge(attempt: Attempt): Promise<LoginOutcome> {
    const { credentials: { password }, peer, network, name, fingerprint } = attempt;
    if (this.#isRepeated(attempt)) return this.#repeated(attempt);
    if (!this.#limits.begin(network, name, this.#clock.now())) {
      return this.#limited(attempt, "too many failures");
    }
    try {
      const user = this.#users.get(name);
      let isRight;
      try {
        isRight = await this.#verify(user?.hash ?? this.#nobodys, password);
      } catch (error) {
        // Such as no memory: the client's fault it is not.
        this.#log.error("password not verified", { peer, error: String(error) });
        return LIMITED;
      }
      if (user && isRight) {
        this.#limits.accepted(network, name, this.#clock.now());
        this.#log.info("login accepted", { peer, user: user.name });
        return { kind: "accepted", user: user.name };
      }
      this.#limits.failed(network, name, fingerprint, this.#clock.now());
      this.#log.warn("login failed", { peer, user: shown(attempt) });
      return REFUSED;
    } finally {
      this.#limits.end(network);
    }
  }

  #isRepeated({ network, fingerprint }: Attempt): boolean {
    return this.#limits.isRepeated(network, fingerprint, this.#clock.now());
  }

  /** An event of its own, as nobody shall be banned for it. */
  #repeated(attempt: Attempt): LoginOutcome {
    this.#log.warn("login failed again", { peer: attempt.peer, user: shown(attempt) });
    return REFUSED;
  }

  #limited(attempt: Attempt, reason: string): LoginOutcome {
    this.#log.warn("login refused", { peer: attempt.peer, user: shown(attempt), reason });
    return LIMITED;
  }

  /** What stands before the @ of a local domain, or all of it, in lower case. Nobody need be called so. */
  #nameOf(given: string): string {
    const at = given.lastIndexOf("@");
    const domain = given.slice(at + 1);
    const isOwn = at > 0 && domain !== "" && this.#isLocal(domain);
    const name = isOwn ? given.slice(0, at) : given;
    // Letters beyond ASCII may become ASCII ones in lower case.
    return name.slice(0, LONGEST_NAME + 1).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  }

  #fingerprint(name: string, password: Uint8Array): string {
    // No password holds NUL.
    const hmac = createHmac("sha256", this.#key).update(name).update("\0").update(password);
    return hmac.digest("base64");
  }

  #pause(milliseconds: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        callOff();
        this.#pauses.delete(end);
        resolve();
      };
      const callOff = this.#clock.after(milliseconds, end);
      this.#pauses.add(end);
    });
  }
}

function shown({ credentials }: Attempt): string {
  return credentials.name.slice(0, LONGEST_SHOWN);
}
