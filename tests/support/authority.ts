/**
 * A certificate authority of a test's own, run by `openssl`. Nobody trusts it who was not handed
 * its certificate.
 */

import { canonicalIp } from "../../src/smtp/ip.ts";
import { makeFolder } from "./folder.ts";
import { succeed } from "./programs.ts";

/** Both as PEM. */
export interface Issued {
  readonly certificate: string;
  /** Of the P-256 curve, unencrypted PKCS #8. */
  readonly key: string;
}

export interface IssueOptions {
  /** An hour ago unless told. */
  readonly notBefore?: Date;
  /** `days` after `notBefore` unless told. */
  readonly notAfter?: Date;
  /** 2 unless told. */
  readonly days?: number;
}

/** Disposal removes its files. */
export interface Authority extends AsyncDisposable {
  /** As PEM: what a client that trusts this authority needs. */
  readonly certificate: string;
  /**
   * A certificate for domain names and IP addresses, one at least, with a key of its own. A name may
   * begin with `*.`. Several may be asked for at a time.
   */
  issue(names: readonly string[], options?: IssueOptions): Promise<Issued>;
  /** The same as the disposal. */
  close(): Promise<void>;
}

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A new one, with a key that no other has. Needs `openssl`. */
export async function makeAuthority(): Promise<Authority> {
  const folder = await makeFolder();
  const { path } = folder;
  await Deno.writeTextFile(`${path}/authority.conf`, AUTHORITY);
  await succeed("openssl", [
    ...["req", "-x509", ...NEW_KEY, "-config", `${path}/authority.conf`],
    ...["-days", "7", "-keyout", `${path}/authority.key`, "-out", `${path}/authority.crt`],
  ]);
  let issued = 0;
  return {
    certificate: await Deno.readTextFile(`${path}/authority.crt`),
    issue: (names, options = {}) => issue(path, `${path}/${++issued}`, names, options),
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    await folder[Symbol.asyncDispose]();
  }
}

const AUTHORITY = `
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = Authority of a test
[extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`;

async function issue(
  authority: string,
  folder: string,
  names: readonly string[],
  { notBefore = new Date(Date.now() - HOUR), days = 2, ...options }: IssueOptions,
): Promise<Issued> {
  const { notAfter = new Date(notBefore.getTime() + days * DAY) } = options;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/index`, "");
  await Deno.writeTextFile(`${folder}/issue.conf`, issueConf(authority, folder, names));
  const config = ["-config", `${folder}/issue.conf`];
  await succeed("openssl", [
    ...["req", "-new", ...NEW_KEY, ...config],
    ...["-keyout", `${folder}/key`, "-out", `${folder}/request`],
  ]);
  await succeed("openssl", [
    ...["ca", "-batch", "-notext", ...config],
    ...["-startdate", time(notBefore), "-enddate", time(notAfter)],
    ...["-in", `${folder}/request`, "-out", `${folder}/certificate`],
  ]);
  return {
    certificate: await Deno.readTextFile(`${folder}/certificate`),
    key: await Deno.readTextFile(`${folder}/key`),
  };
}

/** Each certificate has a register of its own, so that several can be made at a time. */
function issueConf(authority: string, folder: string, names: readonly string[]): string {
  const alternatives = names.map((name) => `${canonicalIp(name) ? "IP" : "DNS"}:${name}`);
  return `
[req]
prompt = no
distinguished_name = name
[name]
CN = Host of a test
[ca]
default_ca = authority
[authority]
certificate = ${authority}/authority.crt
private_key = ${authority}/authority.key
database = ${folder}/index
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = ${alternatives.join(", ")}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;
}

/** As an X.509 GeneralizedTime: to the second, in UTC. */
function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z").replace(/[-:T]/g, "");
}
