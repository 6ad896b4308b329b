/** Makes V8 forget all that nobody holds, for tests of who holds what. */

import v8 from "node:v8";
import vm from "node:vm";

/** Resolves when what nobody holds is gone, and WeakRefs to it are empty. */
export async function collectGarbage(): Promise<void> {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  // A WeakRef holds what it was made of until its turn is over.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collect();
}
