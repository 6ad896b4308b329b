/** Postfix, with every limit raised that would keep it from what it can do. */

import { freePort } from "../../support/free_port.ts";
import { startPostfix } from "../../support/postfix.ts";
import { find, missingOrNotRoot, succeed } from "../../support/programs.ts";
import type { Kind } from "./peer.ts";
import { firstLine } from "./program.ts";

/** Processes beside those that speak with clients. */
const OTHERS = 100;
/** Deliveries to one mailbox, or connections to one host, at the same time. */
const AT_ONCE = "20";

export const postfix: Kind = {
  name: "Postfix",
  missing: () => {
    const reason = missingOrNotRoot(["postfix"]);
    return reason && `${reason} (Debian: postfix, run as root)`;
  },
  version: () => firstLine(find("postconf") ?? "postconf", "-h", "mail_version"),
  relays: true,
  async start({ folder, domain, mailboxes, sessions, nextHop }) {
    const addresses = `${folder}/addresses`;
    const lines = mailboxes.map((one) => `${one}@${domain} ${one}/\n`);
    await Deno.writeTextFile(addresses, lines.join(""));
    const port = freePort();
    const running = await startPostfix({
      hostname: "127.0.0.1",
      port,
      domain,
      tls: false,
      folder,
      sending: {
        relayhost: `[127.0.0.1]:${nextHop ?? 1}`,
        smtp_dns_support_level: "disabled",
        smtp_tls_security_level: "none",
      },
      settings: {
        virtual_mailbox_maps: `texthash:${addresses}`,
        default_process_limit: String(sessions + OTHERS),
        smtpd_client_connection_count_limit: "0",
        in_flow_delay: "0",
        initial_destination_concurrency: AT_ONCE,
        default_destination_concurrency_limit: AT_ONCE,
      },
    });
    return {
      port,
      pid: running.master,
      mailbox: (localPart) => `${folder}/mail/${localPart}`,
      retry: async () => {
        await succeed("postqueue", ["-c", `${folder}/etc`, "-f"]);
      },
      [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    };
  },
};
