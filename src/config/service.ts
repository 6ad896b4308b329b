/** What the daemon listens for, each by its name in the registry of services (RFC 6335). */

import type { MailConf, VariableName } from "./mail_conf.ts";

/**
 * `smtp`: hosts bring mail (RFC 5321). `submission`: users send theirs, after STARTTLS and a login
 * (RFC 6409). `submissions`: the same, under TLS from the first byte (RFC 8314 3.3).
 */
export type Service = "smtp" | "submission" | "submissions";

/** The variable of each one's port. */
export const PORT_VARIABLES = {
  smtp: "LISTEN_PORT",
  submission: "SUBMISSION_PORT",
  submissions: "SUBMISSIONS_PORT",
} as const satisfies Readonly<Record<Service, VariableName>>;

export type Ports = Pick<MailConf, (typeof PORT_VARIABLES)[Service]>;

export interface ServicePort {
  readonly service: Service;
  readonly port: number;
}

/** The variable of a port that takes logins, undefined where none is set. */
export function loginVariable(ports: Ports): VariableName | undefined {
  return (["submissions", "submission"] as const).map((service) => PORT_VARIABLES[service])
    .find((name) => ports[name] !== undefined);
}

/** The services of a configuration with their ports. */
export function servicesOf(ports: Ports): ServicePort[] {
  return (Object.keys(PORT_VARIABLES) as Service[]).flatMap((service) => {
    const port = ports[PORT_VARIABLES[service]];
    return port === undefined ? [] : [{ service, port }];
  });
}
