/** Like Promise.all, but nothing is under way any more when it rejects. */
export async function allSettled(waits: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const outcome of await Promise.allSettled(waits)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}
