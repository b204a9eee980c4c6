import type { PolicyName } from '../model/snapshot.ts';
import { type CustomPolicy, customPolicy } from './custom.ts';
import { first } from './first.ts';
import { hash } from './hash.ts';
import { ipHash } from './ip-hash.ts';
import { leastConnections } from './least-connections.ts';
import { leastLatency } from './least-latency.ts';
import { p2c } from './p2c.ts';
import type { Policy } from './policy.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** Names of our own policies. */
type BuiltIn = Exclude<PolicyName, 'custom'>;

/**
 * One policy per name of the model, each under its own name: a missing or misplaced one does not
 * compile.
 */
type Policies = { readonly [Name in BuiltIn]: Policy & { readonly name: Name } };

/**
 * Every policy there is, in the order in which they are shown. To add one: its name in the model,
 * its file, a line here.
 */
export const policies: Policies = {
  p2c,
  'round-robin': roundRobin,
  'least-connections': leastConnections,
  'least-latency': leastLatency,
  'ip-hash': ipHash,
  hash,
  random,
  first,
};

/**
 * The policy of a pool; `custom` is what the module of a policy of one's own exports. Where it is not
 * there (a file that is explained and does not run), p2c stands in.
 */
export function policyOf(name: PolicyName, custom: CustomPolicy | null = null): Policy {
  if (name !== 'custom') return policies[name];
  return custom === null ? p2c : customPolicy(custom);
}
