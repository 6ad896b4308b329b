/** msmtp under TLS, by GnuTLS. */

import { said } from "./said.ts";
import { type SecuredMail, testSecuredPeer } from "./secured_peer.ts";

testSecuredPeer({
  name: "msmtp",
  needs: ["msmtp"],
  shows: [
    /^--> EHLO client\.example$/m,
    /^ +\(TLS1\.3\)-/m,
    /^ +Issuer:\n +CN=Authority of a test$/m,
    /^<-- 250 2\.0\.0 OK, stored as \w+$/m,
  ],
  showsLogin: [/^--> AUTH PLAIN \w+=*$/m, /^<-- 235 2\.7\.0 Logged in$/m],
  untrusted: /TLS certificate verification failed/,
  send,
});

function send(mail: SecuredMail): Promise<string> {
  const { service, port, authorityFile, login, from, to, text } = mail;
  const args = ["--host=localhost", `--port=${port}`, "--domain=client.example", "--timeout=20"];
  args.push("--tls=on", `--tls-starttls=${service === "submissions" ? "off" : "on"}`);
  args.push(`--tls-trust-file=${authorityFile}`, `--from=${from}`, "--debug");
  args.push("--set-from-header=off", "--set-date-header=off");
  // It asks a shell.
  if (login) {
    args.push("--auth=plain", `--user=${login.name}`, `--passwordeval=echo '${login.password}'`);
  } else args.push("--auth=off");
  // As programs pipe mail into a sendmail.
  const input = text.filter((octet) => octet !== 13);
  return said("msmtp", [...args, "--", ...to], { input });
}
