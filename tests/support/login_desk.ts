/** Logins at a time that a test moves, where a password is verified in 60 milliseconds. */

import { type LoginOutcome, Logins } from "../../src/receiver/logins.ts";
import type { User } from "../../src/config/user_conf.ts";
import { CollectingLog } from "./collecting_log.ts";
import { FakeClock } from "./fake_clock.ts";
import { settled } from "./settled.ts";

const COST = 60;
/** One that is read, but never verified. */
const HASH =
  "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

export class LoginDesk {
  readonly clock = new FakeClock();
  readonly log = new CollectingLog();
  readonly logins: Logins;
  /** Passwords verified so far, and at once at most. */
  verified = 0;
  mostAtOnce = 0;
  #atOnce = 0;

  /** Everybody's password is `secret`. `*` and whoever is in `without` have none. */
  constructor(names: readonly string[], { without = [] }: { without?: readonly string[] } = {}) {
    const users = [...names, ...without].map((name, i): User => {
      const hash = without.includes(name) ? undefined : HASH;
      return { name, target: { directory: `/mail/${i}` }, hash, line: i + 1 };
    });
    const local = ["", "me.example", "[192.0.2.1]"];
    this.logins = new Logins(users, (domain) => local.includes(domain.toLowerCase()), {
      clock: this.clock,
      log: this.log,
      verify: (hash, password) => this.#verify(hash, password),
    });
  }

  check(name: string, password: string, address = "192.0.2.1"): Promise<LoginOutcome> {
    const credentials = { name, password: new TextEncoder().encode(password) };
    return this.logins.check(credentials, { address, peer: `${address}:4711` });
  }

  /** What comes of an attempt, and after how many milliseconds. */
  async outcome(
    name: string,
    password: string,
    address?: string,
  ): Promise<LoginOutcome & { readonly after: number }> {
    const begun = this.clock.now();
    let outcome: LoginOutcome | undefined;
    const checked = this.check(name, password, address).then((is) => outcome = is);
    await settled();
    while (!outcome && this.clock.pending > 0) await this.clock.pass(1);
    return { ...await checked, after: this.clock.now() - begun };
  }

  async #verify(hash: string, password: Uint8Array): Promise<boolean> {
    this.verified++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    await new Promise<void>((resolve) => this.clock.after(COST, resolve));
    this.#atOnce--;
    return hash === HASH && new TextDecoder().decode(password) === "secret";
  }
}
