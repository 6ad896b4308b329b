/** Python's smtplib under TLS. */

import { said } from "./said.ts";
import { type SecuredMail, testSecuredPeer } from "./secured_peer.ts";

const SCRIPT = new URL("smtplib_secured.py", import.meta.url).pathname;

testSecuredPeer({
  name: "Python's smtplib",
  needs: ["python3"],
  shows: [
    /^send: 'ehlo client\.example\\r\\n'$/m,
    /^under TLS_AES_256_GCM_SHA384 TLSv1\.3 as/m,
    /^data: \(250, b'2\.0\.0 OK, stored as \w+'\)$/m,
  ],
  showsLogin: [/ as PLAIN LOGIN$/m, /^reply: retcode \(235\); Msg: b'2\.7\.0 Logged in'$/m],
  untrusted: /certificate verify failed/,
  send,
});

function send(mail: SecuredMail): Promise<string> {
  const { service, port, authorityFile, login, from, to, text } = mail;
  const { name, password } = login ?? { name: "", password: "" };
  const how = service === "submissions" ? "implicit" : "starttls";
  const args = ["-I", SCRIPT, how, String(port), authorityFile, name, password, from, ...to];
  return said("python3", args, { input: text });
}
