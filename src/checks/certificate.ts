/** Whether TLS_CERT and TLS_KEY are what others will take for this host's. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import type { MailConf } from "../config/mail_conf.ts";
import { canonicalIp, literalAddress } from "../smtp/ip.ts";
import { CertificateError, readCertificate } from "../tls/certificate.ts";
import { hasServerTls } from "../tls/support.ts";
import { type Finding, good, note, wrong } from "./finding.ts";

const DAY = 86_400_000;
/** Days left below which somebody should act. */
const SOON = 14;

const ABOUT = "certificate";

/** PEM texts, of a chain the own certificate first. `now` is in milliseconds since 1970. */
export interface CertificateFacts {
  readonly hostname: string;
  readonly certificate: string;
  readonly key: string;
  readonly now: number;
}

/** Reads the files of a configuration that has both. */
export async function checkCertificateFiles(
  { HOSTNAME, TLS_CERT, TLS_KEY }: Pick<MailConf, "HOSTNAME" | "TLS_CERT" | "TLS_KEY">,
  now: number,
): Promise<Finding[]> {
  if (TLS_CERT === undefined || TLS_KEY === undefined) return [];
  const texts: string[] = [];
  for (const [name, path] of [["TLS_CERT", TLS_CERT], ["TLS_KEY", TLS_KEY]] as const) {
    try {
      texts.push(await Deno.readTextFile(path));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return [wrong(ABOUT, `${name} ${path} cannot be read: ${why}`, "a PEM file")];
    }
  }
  const [certificate = "", key = ""] = texts;
  const findings = checkCertificate({ hostname: HOSTNAME, certificate, key, now });
  const unusable = findings.some(({ state }) => state === "wrong")
    ? []
    : await tried(certificate, key);
  return unusable.length > 0 ? unusable : findings;
}

/** What only shows in use. */
async function tried(certificate: string, key: string): Promise<Finding[]> {
  if (!hasServerTls) return [];
  try {
    await readCertificate(certificate, key);
    return [];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const name = error.part === "key" ? "TLS_KEY" : "TLS_CERT";
    return [wrong(ABOUT, `${name} ${error.message}`, "a pair that TLS can use")];
  }
}

/** Everything that is wrong with it, or one finding that says how long it lasts. */
export function checkCertificate(facts: CertificateFacts): Finding[] {
  const certificate = parsed(() => new X509Certificate(facts.certificate));
  if (!certificate) {
    return [wrong(ABOUT, "TLS_CERT holds no certificate that can be read", "a PEM file")];
  }
  const findings = [
    ...wrongName(certificate, facts.hostname),
    ...wrongKey(certificate, facts.key),
    ...wrongTime(certificate, facts.now),
  ];
  if (findings.length > 0) return findings;
  const days = Math.floor((Date.parse(certificate.validTo) - facts.now) / DAY);
  return [
    good(ABOUT, `for ${facts.hostname}, good for ${days} more days`),
    ...missingChain(certificate, facts.certificate),
  ];
}

/** Most certificates are signed by one that others do not have. */
function missingChain({ subject, issuer }: X509Certificate, pem: string): Finding[] {
  const alone = pem.split("-----BEGIN CERTIFICATE-----").length === 2;
  if (!alone || subject === issuer) return [];
  const is = "TLS_CERT holds one certificate and not who signed it: where that one is no root, " +
    "others cannot verify it; certbot's fullchain.pem has both";
  return [note(ABOUT, is)];
}

function wrongName({ subject, subjectAltName }: X509Certificate, hostname: string): Finding[] {
  const names = subjectAltName?.split(", ") ?? [];
  if (names.some((name) => fits(name, hostname))) return [];
  const is = `TLS_CERT is for ${subjectAltName ?? subject.replaceAll("\n", ", ")}`;
  const order = hostname.startsWith("[") ? [] : [`certbot certonly --standalone -d ${hostname}`];
  return [wrong(ABOUT, is, `a certificate for ${hostname}`, order)];
}

/**
 * Whether an alternative name is this host's: the same name or address, or its first label a `*`
 * (RFC 9525 6.3, 6.5). Deno's own checkHost knows no `*`.
 */
function fits(name: string, hostname: string): boolean {
  const [, kind, value = ""] = /^(dns|ip address):(.*)$/.exec(name.toLowerCase()) ?? [];
  const host = hostname.toLowerCase();
  if (host.startsWith("[")) {
    return kind === "ip address" && canonicalIp(value) === literalAddress(host);
  }
  return kind === "dns" && (value === host || value === host.replace(/^[^.]+(?=\..+\.)/, "*"));
}

function wrongKey(certificate: X509Certificate, pem: string): Finding[] {
  const key = parsed(() => createPrivateKey(pem));
  if (!key) {
    return [wrong(ABOUT, "TLS_KEY holds no key that can be read", "a PEM file without a password")];
  }
  if (certificate.checkPrivateKey(key)) return [];
  return [wrong(ABOUT, "TLS_KEY is another certificate's", "the key that TLS_CERT was made for")];
}

function wrongTime({ validFrom, validTo }: X509Certificate, now: number): Finding[] {
  const renewed = ["a renewed certificate", ["certbot renew"]] as const;
  const left = Date.parse(validTo) - now;
  if (left <= 0) return [wrong(ABOUT, `TLS_CERT has expired on ${date(validTo)}`, ...renewed)];
  if (Date.parse(validFrom) > now) {
    return [
      wrong(ABOUT, `TLS_CERT is not valid before ${date(validFrom)}`, "one that is valid now"),
    ];
  }
  if (left >= SOON * DAY) return [];
  const days = Math.floor(left / DAY);
  const when = `${date(validTo)}, in ${days} ${days === 1 ? "day" : "days"}`;
  return [wrong(ABOUT, `TLS_CERT expires on ${when}`, ...renewed)];
}

function date(text: string): string {
  return new Date(text).toISOString().slice(0, 10);
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
