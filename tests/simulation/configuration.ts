/** The configuration of the simulated host, by way of a real file and the daemon's own reader. */

import type { Configuration } from "../../src/config/configuration.ts";
import { readMailConf } from "../../src/config/mail_conf.ts";
import { parseMailbox } from "../../src/smtp/address.ts";

/** Who has a mailbox, `/mail/<name>`. Besides, `away` forwards to away@forward.example. */
export const USERS = ["jones", "smith"];

const read = new Map<string, Promise<Configuration>>();

/** An address of the host that mail.conf does not name, as if it listened on all it has. */
export const UNNAMED_ADDRESS = "192.0.2.98";

/** me.example at 192.0.2.99, and these lines of mail.conf. */
export function configuration(settings: string): Promise<Configuration> {
  const known = read.get(settings) ?? readFile(settings);
  read.set(settings, known);
  return known;
}

async function readFile(settings: string): Promise<Configuration> {
  const file = await Deno.makeTempFile({ prefix: "denosmtpd-test-" });
  const fixed = "HOSTNAME = me.example\nLISTEN_ADDR = 192.0.2.99\n";
  try {
    await Deno.writeTextFile(file, `${fixed}${settings}\n`);
    const { conf, lines } = await readMailConf(file, {
      hostName: () => "unused.example",
      addresses: () => [],
      stateDirectory: () => undefined,
    });
    const users = [
      ...USERS.map((name) => ({ name, target: { directory: `/mail/${name}` } })),
      { name: "away", target: { forwards: [parseMailbox("away@forward.example")] } },
    ].map((user, i) => ({ ...user, hash: undefined, line: i + 1 }));
    const files = { mail: file, users: "user.conf" };
    const ownAddresses = [...conf.LISTEN_ADDR, UNNAMED_ADDRESS];
    return { mail: conf, users, files, ownAddresses, lines };
  } finally {
    await Deno.remove(file);
  }
}
