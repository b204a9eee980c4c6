import type { PolicyName } from '../model/snapshot.ts';
import { first } from './first.ts';
import { hash } from './hash.ts';
import { ipHash } from './ip-hash.ts';
import { leastConnections } from './least-connections.ts';
import { leastLatency } from './least-latency.ts';
import { p2c } from './p2c.ts';
import type { Policy } from './policy.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';

/**
 * One policy per name of the model, each under its own name: a missing or misplaced one does not
 * compile.
 */
type Policies = { readonly [Name in PolicyName]: Policy & { readonly name: Name } };

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

/** The policy of a name. Cost: one property read. */
export function policyOf(name: PolicyName): Policy {
  return policies[name];
}
