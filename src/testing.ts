/** What tests of one's own policies import from `evenkeel/testing`. */
import { type CustomPolicy, customPolicy } from './balance/custom.ts';
import { conformance } from './balance/policy.conformance.ts';

/**
 * Registers with node:test what every policy must do: never a tried or a full server, the right
 * word when none is left, slots of its candidates only, no hidden state besides the random numbers.
 *
 * @example
 * import { policyConformance } from 'evenkeel/testing';
 * import policy from './my-policy.ts';
 * policyConformance(policy);
 */
export function policyConformance(policy: CustomPolicy): void {
  conformance(customPolicy(policy, false));
}
