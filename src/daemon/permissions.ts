/** What each part of the daemon may do, derived from the configuration and from nothing else. */

import { type Configuration, mailboxDirectories } from "../config/configuration.ts";
import { listenAddresses, printHostPort } from "../receiver/listener.ts";

/** The receiver listens where it is told to and writes mailboxes. It connects nowhere. */
export function receiverPermissions(configuration: Configuration): Deno.PermissionOptionsObject {
  const { mail } = configuration;
  const directories = mailboxDirectories(configuration);
  return {
    net: listenAddresses(mail).map((address) => printHostPort(address, mail.LISTEN_PORT)),
    read: directories,
    write: directories,
    env: false,
    sys: false,
    run: false,
    ffi: false,
    import: false,
  };
}

/** Gives up whatever this thread was started with: once the parts run, it only waits for signals. */
export async function dropPermissions(): Promise<void> {
  for (const name of ["net", "read", "write", "env", "sys", "run", "ffi", "import"] as const) {
    await Deno.permissions.revoke({ name });
  }
}
