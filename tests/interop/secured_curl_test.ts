/** curl under TLS, by `smtps:` and by STARTTLS. */

import { said } from "./said.ts";
import { type SecuredMail, testSecuredPeer } from "./secured_peer.ts";

testSecuredPeer({
  name: "curl",
  needs: ["curl"],
  shows: [
    /^\* SSL connection using TLSv1\.3 /m,
    /^\* {2}subjectAltName: host "localhost" matched cert's "localhost"$/m,
    /^\* {2}SSL certificate verify ok\.$/m,
    /^> EHLO client\.example$/m,
    /^< 250 2\.0\.0 OK, stored as \w+$/m,
  ],
  // It sends its credentials when it is asked for them.
  showsLogin: [/^> AUTH PLAIN$/m, /^< 334 $/m, /^< 235 2\.7\.0 Logged in$/m],
  untrusted: /SSL certificate problem/,
  send,
});

function send(mail: SecuredMail): Promise<string> {
  const { service, port, authorityFile, login, from, to, text } = mail;
  const scheme = service === "submissions" ? "smtps" : "smtp";
  // The path of the URL is the argument of EHLO.
  const args = ["--verbose", "--silent", `${scheme}://localhost:${port}/client.example`];
  args.push("--ssl-reqd", "--cacert", authorityFile, "--noproxy", "*");
  if (login) args.push("--user", `${login.name}:${login.password}`);
  args.push("--mail-from", from, ...to.flatMap((one) => ["--mail-rcpt", one]));
  return said("curl", [...args, "--upload-file", "-"], { input: text });
}
