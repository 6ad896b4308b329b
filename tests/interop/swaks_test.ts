/** swaks, the test program of mail administrators, sends by EHLO, by HELO and by pipelining. */

import { missing, run, succeed } from "../support/programs.ts";
import { type Peer, testPeer } from "./peer.ts";

const noIpv6 = await lacksIpv6();

testSwaks("swaks", "ESMTP");
testSwaks("swaks --pipeline", "ESMTP", "--pipeline");
testSwaks("swaks --protocol SMTP", "SMTP", "--protocol", "SMTP");

function testSwaks(name: string, protocol: Peer["protocol"], ...more: string[]): void {
  testPeer({
    name,
    needs: ["swaks"],
    protocol,
    cannot: {
      "a text that begins with a period": "swaks quotes no period there",
      "an empty body": "swaks adds a line to a header that stands alone",
      ...(noIpv6 && { "over IPv6": noIpv6, "to an IPv6 address literal": noIpv6 }),
    },
    async send({ host, port, from, to, text }) {
      const args = ["--server", host, "--port", String(port), "--ehlo", "client.example"];
      args.push("--from", from || "<>", "--to", to.join(","), "--timeout", "20s", "--data", "-");
      if (host.includes(":")) args.push("-6");
      // It puts the last CR LF there itself.
      await succeed("swaks", [...args, ...more], { input: text.slice(0, -2) });
    },
  });
}

/** swaks speaks IPv6 only where a Perl module is installed. */
async function lacksIpv6(): Promise<string | undefined> {
  if (missing(["swaks"])) return undefined;
  const { words } = await run("swaks", ["--support"]);
  return words.includes("IPv6 not available") ? "IO::Socket::INET6 is not installed" : undefined;
}
