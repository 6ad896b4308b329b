/** Domains that demand nothing (MTA-STS). */

import type { StsPolicies } from "../../src/relay/sts.ts";

export const noPolicies: StsPolicies = {
  policyFor: () => Promise.resolve(undefined),
  forget: () => {},
};
