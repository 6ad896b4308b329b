/** swaks under TLS: it shows each line with a mark for what was encrypted. */

import { missing, run } from "../support/programs.ts";
import { said } from "./said.ts";
import { type SecuredPeer, testSecuredPeer } from "./secured_peer.ts";

const noTls = await lacksTls();

testSwaks("PLAIN", [/^ ~> AUTH PLAIN \w+=*$/m]);
testSwaks("LOGIN", [/^ ~> AUTH LOGIN$/m, /^<~ {2}334 VXNlcm5hbWU6$/m, /^<~ {2}334 UGFzc3dvcmQ6$/m]);

function testSwaks(mechanism: string, showsLogin: readonly RegExp[]): void {
  testSecuredPeer({
    name: `swaks --auth ${mechanism}`,
    needs: ["swaks"],
    cannot: noTls,
    shows: [
      /^=== TLS started with cipher TLSv1\.3:TLS_\w+:\d+$/m,
      /^=== TLS peer DN="\/CN=Host of a test"$/m,
      /^ ~> EHLO client\.example$/m,
      /^<~ {2}250 2\.0\.0 OK, stored as \w+$/m,
    ],
    showsLogin: [...showsLogin, /^<~ {2}235 2\.7\.0 Logged in$/m],
    untrusted: /TLS startup failed .*certificate verify failed/,
    send: (mail) => send(mail, mechanism),
  });
}

function send(
  { service, port, authorityFile, login, from, to, text }: Parameters<SecuredPeer["send"]>[0],
  mechanism: string,
): Promise<string> {
  const args = ["--server", "localhost", "--port", String(port), "--ehlo", "client.example"];
  args.push(service === "submissions" ? "--tls-on-connect" : "-tls");
  args.push("--tls-verify", "--tls-ca-path", authorityFile);
  if (login) {
    args.push("--auth", mechanism, "--auth-user", login.name, "--auth-password", login.password);
  }
  args.push("--from", from, "--to", to.join(","), "--timeout", "20s", "--data", "-");
  // It puts the last CR LF there itself.
  return said("swaks", args, { input: text.slice(0, -2) });
}

/** swaks speaks TLS only where a Perl module is installed. */
async function lacksTls(): Promise<string | undefined> {
  if (missing(["swaks"])) return undefined;
  const { words } = await run("swaks", ["--support"]);
  return words.includes("TLS not available") ? "Net::SSLeay is not installed" : undefined;
}
