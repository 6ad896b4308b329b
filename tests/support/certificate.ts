/** A certificate for the tests' own server, me.example, that no authority knows. */

/** Files in PEM. */
export const CERTIFICATE = pathOf("me.example.crt");
export const KEY = pathOf("me.example.key");

/** For a client: whom it thinks to talk to, and what proves it. */
export const TRUST: Deno.StartTlsOptions = {
  hostname: "me.example",
  caCerts: [Deno.readTextFileSync(CERTIFICATE)],
};

/** Lines of mail.conf. */
export const TLS_SETTINGS = `TLS_CERT = ${CERTIFICATE}\nTLS_KEY = ${KEY}`;

function pathOf(name: string): string {
  return new URL(name, import.meta.url).pathname;
}
