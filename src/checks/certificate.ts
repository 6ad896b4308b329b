/** Whether TLS_CERT and TLS_KEY are what others will take for this host's. */

import type { X509Certificate } from "node:crypto";
import type { MailConf } from "../config/mail_conf.ts";
import { closeToOthers, readableByOthers } from "../config/secrecy.ts";
import { PemFileError, readPem } from "../receiver/certificate_files.ts";
import { canonicalIp, literalAddress } from "../smtp/ip.ts";
import { CertificateError, type Chain, matchKey, readChain } from "../tls/certificate.ts";
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

/**
 * Reads the files of a configuration that has both. Where the daemon would not start with them that
 * is a problem, and told before.
 */
export async function checkCertificateFiles(
  { HOSTNAME, TLS_CERT, TLS_KEY }: Pick<MailConf, "HOSTNAME" | "TLS_CERT" | "TLS_KEY">,
  now: number,
): Promise<Finding[]> {
  if (TLS_CERT === undefined || TLS_KEY === undefined) return [];
  const texts: string[] = [];
  for (const [name, path] of [["TLS_CERT", TLS_CERT], ["TLS_KEY", TLS_KEY]] as const) {
    try {
      texts.push(await readPem(path));
    } catch (error) {
      if (!(error instanceof PemFileError)) throw error;
      return [wrong(ABOUT, `${name} ${path}: ${error.message}`, "a PEM file")];
    }
  }
  const [certificate = "", key = ""] = texts;
  return [
    ...checkCertificate({ hostname: HOSTNAME, certificate, key, now }),
    ...await openKey(TLS_KEY),
  ];
}

async function openKey(path: string): Promise<Finding[]> {
  if (!await readableByOthers(path)) return [];
  const is = `every user of the system can read TLS_KEY ${path}`;
  return [wrong(ABOUT, is, "read by the server's user alone", [closeToOthers(path)])];
}

/** Everything that is wrong with it, or one finding that says how long it lasts. */
export function checkCertificate({ hostname, certificate, key, now }: CertificateFacts): Finding[] {
  let chain: Chain;
  try {
    chain = readChain(certificate);
  } catch (error) {
    return [unusable(error)];
  }
  const { own } = chain;
  const findings = [...wrongKey(own, key), ...wrongName(own, hostname), ...wrongTime(own, now)];
  if (findings.length > 0) return findings;
  const days = Math.floor((Date.parse(own.validTo) - now) / DAY);
  return [good(ABOUT, `for ${hostname}, good for ${days} more days`), ...missingChain(chain)];
}

/** Of a CertificateError. */
function unusable(error: unknown): Finding {
  if (!(error instanceof CertificateError)) throw error;
  return error.part === "key"
    ? wrong(ABOUT, `TLS_KEY ${error.message}`, "the key that TLS_CERT was made for")
    : wrong(ABOUT, `TLS_CERT ${error.message}`, "a PEM file, of a chain the own certificate first");
}

function wrongKey(own: X509Certificate, key: string): Finding[] {
  try {
    matchKey(own, key);
    return [];
  } catch (error) {
    return [unusable(error)];
  }
}

/** Most certificates are signed by one that others do not have. */
function missingChain({ own, length }: Chain): Finding[] {
  if (length > 1 || isSelfSigned(own)) return [];
  const is = "TLS_CERT holds one certificate and not who signed it: where that one is no root, " +
    "others cannot verify it; certbot's fullchain.pem has both";
  return [note(ABOUT, is)];
}

function isSelfSigned({ subject, issuer }: X509Certificate): boolean {
  return subject === issuer;
}

function wrongName({ subject, subjectAltName }: X509Certificate, hostname: string): Finding[] {
  const names = subjectAltName?.split(", ") ?? [];
  if (names.some((name) => fits(name, hostname))) return [];
  const address = literalAddress(hostname);
  const name = address === undefined ? `DNS:${hostname}` : `IP:${address}`;
  const [, commonName] = /^CN=(.*)$/m.exec(subject) ?? [];
  // RFC 9525 2: the name of the subject identifies nobody.
  const no = "TLS_CERT has no subjectAltName" +
    (commonName === undefined ? "" : `, and its subject's CN ${commonName} does not count`);
  const is = subjectAltName === undefined ? no : `TLS_CERT is for ${subjectAltName}`;
  return [wrong(ABOUT, is, `a certificate for HOSTNAME: ${name} in its subjectAltName`)];
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

function wrongTime(own: X509Certificate, now: number): Finding[] {
  const { validFrom, validTo } = own;
  // Whoever signs their own does so again by hand.
  const renewed = ["a renewed certificate", isSelfSigned(own) ? [] : ["certbot renew"]] as const;
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
