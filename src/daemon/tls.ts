/** What a configuration asks of TLS that this Deno cannot do: said at the start rather than done wrongly. */

import type { Configuration } from "../config/configuration.ts";
import { type Problem, problemAt } from "../config/problem.ts";
import { PORT_VARIABLES } from "../config/service.ts";
import type { VariableName } from "../config/mail_conf.ts";
import { usesPolicies } from "../relay/protection.ts";
import { hasServerTls, judgesCertificates, NO_JUDGEMENT, NO_SERVER_TLS } from "../tls/support.ts";

/** Ports that nobody could be served at, and hosts that could not be verified. */
export function missingTls(configuration: Configuration): Problem[] {
  return [...missingServer(configuration), ...missingVerification(configuration)];
}

function missingVerification(configuration: Configuration): Problem[] {
  if (judgesCertificates) return [];
  const { RELAY_TLS, RELAY_TLS_FOR, RELAY_LOGIN_FILE } = configuration.mail;
  const wanting: VariableName[] = [];
  if (RELAY_TLS === "verify") wanting.push("RELAY_TLS");
  if (RELAY_TLS_FOR.some(({ tls }) => tls === "verify")) wanting.push("RELAY_TLS_FOR");
  if (RELAY_LOGIN_FILE !== undefined) wanting.push("RELAY_LOGIN_FILE");
  return wanting.map((name) => {
    return problemAt(configuration, name, `this program was ${NO_JUDGEMENT}`);
  });
}

/** Why the policies of domains (MTA-STS) are not followed, undefined where they are or nobody wants it. */
export function whyNoPolicies({ mail }: Configuration): string | undefined {
  return judgesCertificates || !usesPolicies(mail) ? undefined : NO_JUDGEMENT;
}

function missingServer(configuration: Configuration): Problem[] {
  if (hasServerTls) return [];
  return (["submission", "submissions"] as const)
    .map((service) => PORT_VARIABLES[service])
    .filter((name) => configuration.mail[name] !== undefined)
    .map((name) => problemAt(configuration, name, `this program was ${NO_SERVER_TLS}`));
}

/** Why STARTTLS is not offered though there is a certificate, undefined where it is. */
export function whyNoStartTls({ mail }: Configuration): string | undefined {
  return mail.TLS_CERT === undefined || hasServerTls ? undefined : NO_SERVER_TLS;
}
