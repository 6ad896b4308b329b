/** A certificate with its key, read from PEM texts and tried before anybody sees it. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import * as tls from "node:tls";
import { tryHandshake } from "./trial.ts";

/** The pair cannot be used; `part` is the one to mend. The message is fit for logs. */
export class CertificateError extends Error {
  override name = "CertificateError";

  constructor(message: string, readonly part: "certificate" | "key") {
    super(message);
  }
}

export interface Certificate {
  /** For handshakes as server. */
  readonly context: tls.SecureContext;
  /** The last moment it holds, in milliseconds since 1970. */
  readonly validTo: number;
}

/** What node:tls signs a handshake with. */
const KINDS = "RSA of 2048 bits or more, EC P-256, P-384 or P-521, or Ed25519";

/** One of a chain; one that was cut off has no end. */
const BLOCK = /-----BEGIN CERTIFICATE-----[^]*?(?:-----END CERTIFICATE-----|$)/g;

/**
 * `certificate` may be a chain, the own one first. Whether it has expired is not asked. Rejects with
 * CertificateError, also where both can be read but no handshake succeeds with them.
 */
export async function readCertificate(certificate: string, key: string): Promise<Certificate> {
  const { own, pem } = readChain(certificate);
  matchKey(own, key);
  const context = parsed(() => {
    return tls.createSecureContext({ cert: pem, key, minVersion: "TLSv1.2" });
  });
  if (!context || !await tryHandshake(context)) {
    throw new CertificateError(`is of no use for TLS, the key must be ${KINDS}`, "key");
  }
  return { context, validTo: Date.parse(own.validTo) };
}

/** A certificate with those that vouch for it. */
export interface Chain {
  /** The first one. */
  readonly own: X509Certificate;
  /** How many they are. */
  readonly length: number;
  /** All of them, without what may stand around them. */
  readonly pem: string;
}

/** Throws CertificateError. node:tls would send as much of a damaged chain as it can read. */
export function readChain(text: string): Chain {
  const blocks = text.match(BLOCK) ?? [];
  const chain = blocks.map((block, i) => {
    const certificate = parsed(() => new X509Certificate(block));
    if (certificate) return certificate;
    const which = blocks.length === 1 ? "" : `certificate ${i + 1} in it `;
    throw new CertificateError(`${which}is damaged or cut off`, "certificate");
  });
  const [own] = chain;
  if (!own) throw new CertificateError("holds no PEM certificate", "certificate");
  return { own, length: chain.length, pem: blocks.join("\n") };
}

/** Throws CertificateError where the PEM text is not the certificate's key. */
export function matchKey(own: X509Certificate, pem: string): void {
  const key = parsed(() => createPrivateKey(pem));
  if (!key) throw new CertificateError(whyNoKey(pem), "key");
  if (!own.checkPrivateKey(key)) {
    throw new CertificateError("is not the key of the first certificate in the chain", "key");
  }
}

function whyNoKey(pem: string): string {
  return pem.includes("ENCRYPTED")
    ? "has a password, and nobody is there to type it: the key must be stored without one"
    : `must hold one PEM key and nothing else: ${KINDS}`;
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
