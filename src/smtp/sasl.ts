/** How a client proves by a password who it is: PLAIN (RFC 4616) and LOGIN, as AUTH carries them (RFC 4954). */

/** Whom a client says it is, and what it shows for that. */
export interface Credentials {
  readonly name: string;
  /** As they came; one octet at least, and none of them NUL. */
  readonly password: Uint8Array;
}

export const MECHANISMS = ["PLAIN", "LOGIN"] as const;
export type Mechanism = (typeof MECHANISMS)[number];

/** What comes of a client's word: a question back, its credentials, or why there are none. */
export type SaslStep =
  | { readonly kind: "challenge"; readonly challenge: string }
  | { readonly kind: "credentials"; readonly credentials: Credentials }
  | { readonly kind: "malformed" }
  /** Whoever it is, it may not act for whom it wants to. */
  | { readonly kind: "denied" };

const MALFORMED: SaslStep = { kind: "malformed" };
const NUL = 0;
const decoder = new TextDecoder();

/** One exchange: `begin`, or `answer` with the initial response, then `answer` to each challenge. */
export class SaslExchange {
  readonly #mechanism: Mechanism;
  #name: Uint8Array | undefined;

  constructor(mechanism: Mechanism) {
    this.#mechanism = mechanism;
  }

  /** Where the client has said nothing yet. */
  begin(): SaslStep {
    return this.#mechanism === "PLAIN" ? challenge("") : challenge("Username:");
  }

  /** `text` is base64, as the line has it. */
  answer(text: string): SaslStep {
    const message = decodeBase64(text);
    if (!message) return MALFORMED;
    return this.#mechanism === "PLAIN" ? plain(message) : this.#login(message);
  }

  /** The name, then the password, each by itself; there is no standard, but many clients know it. */
  #login(message: Uint8Array): SaslStep {
    if (message.length === 0 || message.includes(NUL)) return MALFORMED;
    const name = this.#name;
    if (name) return credentials(name, message);
    this.#name = message.slice();
    return challenge("Password:");
  }
}

/**
 * `[authzid] NUL authcid NUL passwd` (RFC 4616 2). Nobody acts for somebody else here: whom to act
 * for, where that is said, must be the name itself.
 */
function plain(message: Uint8Array): SaslStep {
  const first = message.indexOf(NUL);
  const second = message.indexOf(NUL, first + 1);
  if (first < 0 || second < 0 || message.includes(NUL, second + 1)) return MALFORMED;
  const [identity, name, password] = [
    message.subarray(0, first),
    message.subarray(first + 1, second),
    message.subarray(second + 1),
  ];
  if (name.length === 0 || password.length === 0) return MALFORMED;
  const other = identity.length > 0 && decoder.decode(identity) !== decoder.decode(name);
  return other ? { kind: "denied" } : credentials(name, password);
}

function credentials(name: Uint8Array, password: Uint8Array): SaslStep {
  return { kind: "credentials", credentials: { name: decoder.decode(name), password } };
}

function challenge(text: string): SaslStep {
  return { kind: "challenge", challenge: btoa(text) };
}

/** Undefined where the text is not base64 to the letter (RFC 4648 3). `=` alone is no octet (RFC 4954 4). */
function decodeBase64(text: string): Uint8Array | undefined {
  if (text === "=") return new Uint8Array(0);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  const bytes = Uint8Array.fromBase64(text);
  return bytes.toBase64() === text ? bytes : undefined;
}
