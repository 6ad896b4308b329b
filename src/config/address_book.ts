/** Who gets the mail for an address: the domains and users of this host. */

import {
  isDotString,
  isPostmaster,
  type Mailbox,
  mailboxKey,
  printMailbox,
  sameDomain,
} from "../smtp/address.ts";
import type { User } from "./user_conf.ts";

/** Where mail for one address ends: directories here, addresses elsewhere; each once. */
export interface Destination {
  readonly directories: readonly string[];
  readonly remote: readonly Mailbox[];
}

/** Users that mail may be handed on through. */
const MOST_FORWARDS = 100;

/** A Destination in the making. */
interface Gathered {
  readonly directories: Set<string>;
  readonly remote: Map<string, Mailbox>;
}

/** A forward that cannot work. */
export class ForwardError extends Error {
  override name = "ForwardError";
}

export class AddressBook {
  readonly #domains: readonly string[];
  readonly #users = new Map<string, User>();
  readonly #postmaster: User | undefined;

  /** `domains` are names and address literals; `users` stand in the order of user.conf. */
  constructor(domains: readonly string[], users: readonly User[]) {
    this.#domains = domains;
    for (const user of users) this.#users.set(user.name.toLowerCase(), user);
    // The first whose mail stays here, for the postmaster's must not be refused (RFC 5321 4.5.1).
    this.#postmaster = this.#users.get("postmaster") ??
      users.find((user) => user.name !== "*" && this.#staysHere(user)) ??
      this.#users.get("*") ?? users[0];
  }

  /** Whether mail for this domain ends here. The bare Postmaster's does. */
  isLocal(domain: string): boolean {
    return domain === "" || this.#domains.some((own) => sameDomain(own, domain));
  }

  /**
   * Where mail for a local-part goes; undefined where it is nobody's. Throws ForwardError for
   * forwards in a circle or to nobody.
   */
  find(localPart: string): Destination | undefined {
    const user = this.#user(localPart);
    return user && this.endsOf(user);
  }

  /**
   * Whether a local-part at a local domain is a user's own: mail for it comes to that user, by name,
   * with a `+` behind the name, or through forwards. What `*` takes is nobody's own.
   */
  owns(name: string, localPart: string): boolean {
    // What quotes alone hold together, some readers take apart into other addresses.
    if (!isDotString(localPart) && !this.#users.has(localPart.toLowerCase())) return false;
    const [owner, user] = [this.#users.get(name.toLowerCase()), this.#named(localPart)];
    return owner !== undefined && user !== undefined && this.#reaches(user, owner, new Set());
  }

  #reaches(user: User, owner: User, passed: Set<User>): boolean {
    if (user === owner) return true;
    if (passed.has(user) || "directory" in user.target) return false;
    passed.add(user);
    return user.target.forwards.some(({ localPart, domain }) => {
      const next = this.isLocal(domain) ? this.#named(localPart) : undefined;
      return next !== undefined && this.#reaches(next, owner, passed);
    });
  }

  /** The first user whose mail ends in this directory. */
  ownerOf(directory: string): User | undefined {
    return [...this.#users.values()].find(({ target }) => {
      return "directory" in target && target.directory === directory;
    });
  }

  /** Follows a user's forwards to their ends. Throws ForwardError like `find`. */
  endsOf(user: User): Destination {
    const ends = { directories: new Set<string>(), remote: new Map<string, Mailbox>() };
    this.#follow(user, [], ends, new Set());
    return { directories: [...ends.directories], remote: [...ends.remote.values()] };
  }

  /** `way` are the users on the way here, `followed` those whose ends are found already. */
  #follow(user: User, way: readonly User[], ends: Gathered, followed: Set<User>): void {
    if (way.includes(user)) {
      throw new ForwardError(`forwards go in a circle: ${circle(way, user)}`);
    }
    if (way.length > MOST_FORWARDS) {
      throw new ForwardError(`forwards through more than ${MOST_FORWARDS} users`);
    }
    if (followed.has(user)) return;
    followed.add(user);
    if ("directory" in user.target) {
      ends.directories.add(user.target.directory);
      return;
    }
    for (const mailbox of user.target.forwards) {
      const next = this.isLocal(mailbox.domain) ? this.#user(mailbox.localPart) : undefined;
      if (next) this.#follow(next, [...way, user], ends, followed);
      else if (this.isLocal(mailbox.domain)) {
        throw new ForwardError(`forwards to ${printMailbox(mailbox)}, but there is no such user`);
      } else ends.remote.set(mailboxKey(mailbox), mailbox);
    }
  }

  #user(localPart: string): User | undefined {
    return this.#named(localPart) ?? this.#users.get("*");
  }

  /** The exact name, the name before a `+`, the postmaster. `*` is a line and nobody's name. */
  #named(localPart: string): User | undefined {
    const name = localPart.toLowerCase();
    const exact = name === "*" ? undefined : this.#users.get(name);
    if (exact) return exact;
    const plus = name.indexOf("+");
    if (plus > 0) return this.#named(name.slice(0, plus));
    return isPostmaster(name) ? this.#postmaster : undefined;
  }

  #staysHere(user: User): boolean {
    try {
      return this.endsOf(user).remote.length === 0;
    } catch (error) {
      if (error instanceof ForwardError) return false;
      throw error;
    }
  }
}

function circle(way: readonly User[], user: User): string {
  return [...way.slice(way.indexOf(user)), user].map(({ name }) => name).join(" -> ");
}
