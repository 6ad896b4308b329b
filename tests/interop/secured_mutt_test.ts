/** mutt under TLS: it writes the message itself and sends it without a sendmail, by a URL. */

import { makeFolder } from "../support/folder.ts";
import { run } from "../support/programs.ts";
import { type SecuredMail, testSecuredPeer } from "./secured_peer.ts";

testSecuredPeer({
  name: "mutt",
  needs: ["mutt"],
  shows: [/ \d+> EHLO client\.example$/m, / \d+< 250 2\.0\.0 OK, stored as \w+$/m],
  showsLogin: [/ \d+> AUTH PLAIN \w+=*$/m, / \d+< 235 2\.7\.0 Logged in$/m],
  untrusted: /certificate/,
  composes: true,
  send,
});

async function send(mail: SecuredMail): Promise<string> {
  await using folder = await makeFolder();
  const { path } = folder;
  const lines = settings(mail).map(([name, value]) => `set ${name}="${value}"\n`);
  await Deno.writeTextFile(`${path}/muttrc`, lines.join(""));
  const args = ["-n", "-F", "muttrc", "-d", "2", "-s", "secured", "--", ...mail.to];
  const env = { HOME: path, LC_ALL: "C" };
  const { code, words } = await run("mutt", args, { input: body(mail.text), cwd: path, env });
  // It writes down there what it says and hears.
  const shown = words + await Deno.readTextFile(`${path}/.muttdebug0`);
  if (code !== 0) throw new Error(shown);
  return shown;
}

function settings({ service, port, authorityFile, login, from }: SecuredMail): [string, string][] {
  const scheme = service === "submissions" ? "smtps" : "smtp";
  const user = login ? `${encodeURIComponent(login.name)}@` : "";
  return [
    ["smtp_url", `${scheme}://${user}localhost:${port}`],
    ["smtp_pass", login?.password ?? ""],
    ["ssl_force_tls", "yes"],
    ["ssl_ca_certificates_file", authorityFile],
    ["from", `Jones <${from}>`],
    ["use_envelope_from", "yes"],
    ["envelope_from_address", from],
    ["hostname", "client.example"],
    // The octets of the text pass as they are.
    ["charset", "iso-8859-1"],
    ["send_charset", "iso-8859-1"],
    ["allow_8bit", "yes"],
    ["copy", "no"],
  ];
}

/** As somebody pipes it into mutt. */
function body(text: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const end = new TextDecoder("latin1").decode(text).indexOf("\r\n\r\n") + 4;
  return text.subarray(end).filter((octet) => octet !== 13);
}
