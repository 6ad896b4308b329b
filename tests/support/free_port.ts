/** Ports that a test needs to know before anybody listens there. */

/** A port that nobody has at this moment, on none of these addresses. */
export function freePort(...addresses: readonly string[]): number {
  const [first = "127.0.0.1", ...others] = new Set(addresses);
  for (;;) {
    using listener = Deno.listen({ hostname: first, port: 0 });
    const { port } = listener.addr;
    if (others.every((hostname) => isFree(hostname, port))) return port;
  }
}

function isFree(hostname: string, port: number): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
