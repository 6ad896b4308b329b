/** Whether RELAY_HOST would take mail from here: all that the relay does before a message. */

import { isImplicitTls, type RelaySettings, relayTlsFor } from "../config/relay_tls.ts";
import { ChannelError, Connection, PLAIN } from "../relay/connection.ts";
import { Protection } from "../relay/protection.ts";
import type { Target } from "../relay/route.ts";
import type { Security } from "../relay/wire.ts";
import type { ClientLogin } from "../smtp/client_login.ts";
import { replyText } from "../smtp/reply.ts";
import { type DialFacts, dialled, NoAnswerError, trouble } from "./dial.ts";
import { type Finding, good, note, wrong } from "./finding.ts";

export interface RelayHostFacts extends DialFacts {
  readonly mail: RelaySettings & { readonly HOSTNAME: string };
  /** Of RELAY_LOGIN_FILE. */
  readonly login?: ClientLogin;
}

/** What was not as it should be, and how that is. */
interface Failure {
  readonly is: string;
  readonly should: string;
}

/** How much of it is tried. */
type Extent = Pick<Protection, "tls" | "login">;

const GREETING = "a greeting with 220";

/** Ports at which a server is not silent because it waits for TLS (RFC 8314 3.3 has 465 for that). */
const USUAL_PORTS: readonly number[] = [25, 587, 465];

/** Speaks to one address of RELAY_HOST up to the login, and leaves. `place` names it. */
export async function checkRelayHost(
  about: string,
  place: string,
  target: Target,
  facts: RelayHostFacts,
): Promise<Finding> {
  const { mail, login } = facts;
  const protection = new Protection(target, {
    domain: target.host,
    tls: relayTlsFor(mail, target.host).tls,
    implicit: isImplicitTls(mail),
    login,
    policy: undefined,
  });
  const visit = new Visit(target, protection, facts);
  try {
    const security = await visit.pay(protection);
    const taken = login ? ", and takes the login" : "";
    return good(about, `${place} greets, ${protectedBy(security, protection)}${taken}`);
  } catch (error) {
    const reason = told(error);
    const open = protection.tls === "may" && !protection.implicit;
    if (open && reason instanceof ChannelError && reason.kind === "tls") {
      return note(about, `${place}: ${reason.message}; so mail goes there in plain text`);
    }
    const { is, should } = await visit.failure(reason);
    return wrong(about, `${place}: ${is}`, should);
  }
}

class Visit {
  readonly #target: Target;
  readonly #protection: Protection;
  readonly #facts: RelayHostFacts;
  /** Whether the server has said anything. */
  #heard = false;

  constructor(target: Target, protection: Protection, facts: RelayHostFacts) {
    this.#target = target;
    this.#protection = protection;
    this.#facts = facts;
  }

  /** Goes there, and resolves with what protected that. Rejects like `dialled` and Connection.open. */
  pay({ tls, login }: Extent): Promise<Security> {
    const { address, port } = this.#target;
    const { mail, clock } = this.#facts;
    return dialled(address, port, this.#facts, async (wire) => {
      const connection = await Connection.open(wire, {
        host: mail.HOSTNAME,
        serverName: this.#protection.serverName,
        wantsTls: tls !== "none",
        verify: tls === "verify",
        implicitTls: this.#protection.implicit,
        ...login ? { login } : {},
        clock,
        observe: (who) => this.#heard ||= who === "server",
      });
      const { security = PLAIN } = connection;
      await connection.quit();
      return security;
    });
  }

  /** Of what `pay` rejected with. */
  async failure(error: unknown): Promise<Failure> {
    const { port } = this.#target;
    if (!(error instanceof ChannelError)) {
      const silent = error instanceof NoAnswerError && !this.#heard;
      const hint = silent && !USUAL_PORTS.includes(port)
        ? ", or port 465 in RELAY_HOST where the server wants TLS from the first byte"
        : "";
      const late = error instanceof NoAnswerError && this.#heard;
      return {
        is: late ? "no answer after the greeting" : trouble(error),
        should: GREETING + hint,
      };
    }
    const { kind, reply, message } = error;
    switch (kind) {
      case "refused":
        return { is: `it says ${replyText(reply)}`, should: GREETING };
      case "login":
        return {
          is: `it refuses the login: ${replyText(reply)}`,
          should: "the user and password in RELAY_LOGIN_FILE that it knows",
        };
      case "tls":
        return await this.#insecurity(error);
      default:
        return { is: message, should: GREETING };
    }
  }

  /** Where there is no TLS as it must be. */
  async #insecurity({ message, security }: ChannelError): Promise<Failure> {
    const { implicit, serverName } = this.#protection;
    if (security) {
      // It was possible to say goodbye.
      return security.protocol === PLAIN.protocol
        ? { is: message, should: "STARTTLS; port 465 in RELAY_HOST means TLS from the first byte" }
        : { is: message, should: "a server that takes logins by AUTH PLAIN there" };
    }
    if (await this.#canTls()) {
      const should = `a certificate for ${serverName} by an authority that everybody trusts`;
      return { is: `its certificate is not valid: ${message}`, should };
    }
    const should = implicit ? "TLS from the first byte, which port 465 is for" : "TLS by STARTTLS";
    return { is: message, should };
  }

  /** Whether there is TLS where nobody asks for a certificate. */
  async #canTls(): Promise<boolean> {
    if (this.#protection.tls !== "verify") return false;
    try {
      return (await this.pay({ tls: "may", login: undefined })).protocol !== PLAIN.protocol;
    } catch {
      return false;
    }
  }
}

/** What the server did before the time was over counts more than that it was. */
function told(error: unknown): unknown {
  if (!(error instanceof NoAnswerError)) return error;
  const { cause } = error;
  const answered = cause instanceof ChannelError && cause.kind !== "lost" &&
    cause.kind !== "late" &&
    (cause.heard || cause.security !== undefined);
  return answered ? cause : error;
}

function protectedBy({ protocol, verified }: Security, { tls }: Protection): string {
  if (protocol === PLAIN.protocol) return "in plain text";
  if (tls === "verify") return `under ${protocol} with a valid certificate`;
  return `under ${protocol}${verified === false ? ", its certificate not being valid" : ""}`;
}
