/** A client under TLS that says what it is told to; it insists on the certificate. */

import assert from "node:assert/strict";
import type { Service } from "../../src/config/service.ts";
import { RawClient } from "./raw_client.ts";
import { HOST, type SecuredDaemon } from "./secured_daemon.ts";

/** One whose handshake is done, and that has said EHLO under TLS. */
export async function securedClient(daemon: SecuredDaemon, service: Service): Promise<RawClient> {
  const port = daemon.portFor(service);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    if (service !== "submissions") await askForTls(new RawClient(conn));
    const client = await underTls(conn, daemon);
    if (service === "submissions") assert.match(await client.reply() ?? "", /^220 /);
    assert.match(await client.command("EHLO client.example") ?? "", /^250-/);
    return client;
  } catch (error) {
    close(conn);
    throw error;
  }
}

/** The client's part of a handshake, and the client under TLS. */
export async function underTls(
  conn: Deno.TcpConn,
  { authority }: Pick<SecuredDaemon, "authority">,
): Promise<RawClient> {
  const secured = await Deno.startTls(conn, { hostname: HOST, caCerts: [authority] });
  try {
    await secured.handshake();
    return new RawClient(secured);
  } catch (error) {
    close(secured);
    throw error;
  }
}

async function askForTls(client: RawClient): Promise<void> {
  assert.match(await client.reply() ?? "", /^220 /);
  assert.match(await client.command("EHLO client.example") ?? "", /^250.STARTTLS$/m);
  assert.match(await client.command("STARTTLS") ?? "", /^220 2\.0\.0 /);
}

/** Its handshake may have closed it. */
function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
