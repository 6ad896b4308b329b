/**
 * How mail is protected on its way to one host: what this host's configuration asks for, and what the
 * recipients' domain does by its policy (MTA-STS, RFC 8461).
 */

import {
  isImplicitTls,
  type RelaySettings,
  type RelayTls,
  relayTlsFor,
} from "../config/relay_tls.ts";
import type { ClientLogin } from "../smtp/client_login.ts";
import { type Reply, replyText } from "../smtp/reply.ts";
import { judgesCertificates } from "../tls/support.ts";
import type { Target } from "./route.ts";
import type { StsPolicies } from "./sts.ts";
import { matchesMx, type StsPolicy } from "./sts_policy.ts";
import * as verdict from "./verdict.ts";
import type { Security } from "./wire.ts";

/** What protection depends on besides domain and host. */
export interface ProtectionFacts {
  readonly mail: RelaySettings;
  /** For RELAY_HOST. */
  readonly login: ClientLogin | undefined;
  readonly policies: StsPolicies;
}

/** Whether the policies of domains are to have a say. */
export function usesPolicies(
  { RELAY_TLS, RELAY_HOST }: Pick<RelaySettings, "RELAY_TLS" | "RELAY_HOST">,
): boolean {
  return RELAY_TLS !== "none" && RELAY_HOST === undefined;
}

/**
 * What there is to know of a domain before its hosts are tried: what protects the mail to each of
 * them. Where the domain's policy has a say a promise, which may take as long as finding that does and
 * never rejects.
 */
export function protectionOf(
  domain: string,
  { mail, login, policies }: ProtectionFacts,
): ProtectionFor | Promise<ProtectionFor> {
  const { tls, named } = relayTlsFor(mail, mail.RELAY_HOST?.host ?? domain);
  // What the operator says of a domain outweighs what the domain says of itself.
  const asks = judgesCertificates && usesPolicies(mail) && !named && !domain.startsWith("[");
  const implicit = isImplicitTls(mail);
  const under = (policy: StsPolicy | undefined): ProtectionFor => (target) =>
    new Protection(target, { domain, tls, implicit, login, policy });
  return asks ? policies.policyFor(domain).then(under) : under(undefined);
}

/** What protects the mail to a host. */
export type ProtectionFor = (target: Target) => Protection;

interface Demands {
  readonly domain: string;
  readonly tls: RelayTls;
  readonly implicit: boolean;
  readonly login: ClientLogin | undefined;
  readonly policy: StsPolicy | undefined;
}

/** What protects the mail for one domain on its way to one host. */
export class Protection {
  /** As RELAY_TLS has it; `verify` also where the policy or a login asks for it. */
  readonly tls: RelayTls;
  /** Whether TLS begins with the connection, so that there is no plain text to fall back to. */
  readonly implicit: boolean;
  readonly login: ClientLogin | undefined;
  readonly #target: Target;
  readonly #domain: string;
  /** The policy's mode, where it has a say. */
  readonly #mode: StsPolicy["mode"];
  readonly #matches: boolean;

  constructor(target: Target, { domain, tls, implicit, login, policy }: Demands) {
    this.#mode = policy?.mode ?? "none";
    this.#matches = !policy || matchesMx(policy, target.host);
    this.#target = target;
    this.#domain = domain;
    this.tls = login || this.#mode === "enforce" ? "verify" : tls;
    this.implicit = implicit;
    this.login = login;
  }

  /** The name or address that the certificate must be valid for. */
  get serverName(): string {
    const { host, address } = this.#target;
    return host.startsWith("[") ? address : host;
  }

  /** Why the host is not to be connected to, undefined where it may be. */
  get barred(): Reply | undefined {
    if (this.#mode !== "enforce" || this.#matches) return undefined;
    return verdict.notInPolicy(this.#domain, this.#target.host);
  }

  /** What it comes to for this domain's mail that the host could not be verified. */
  judge(why: Reply): Reply {
    if (this.#mode !== "enforce") return why;
    return verdict.policyNotMet(this.#domain, this.#target.host, replyText(why));
  }

  /** Why a policy that is only being tested would have kept mail from this connection. */
  breach({ protocol, verified }: Security): string | undefined {
    if (this.#mode !== "testing") return undefined;
    if (!this.#matches) return "it names other hosts";
    if (protocol === "none") return "the connection is in plain text";
    return verified === false ? "the certificate is not valid for the host" : undefined;
  }
}
