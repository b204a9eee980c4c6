import type { Checked, CheckedPool, CheckedRoute } from './checked.ts';
import { shown } from './problem.ts';
import type { Refuse } from './refuse.ts';
import { keyPath } from './source-tree.ts';

/** What a pool says of balancing must fit together, and fit the listeners that use it. */
export function checkBalancing(
  name: string,
  pool: CheckedPool,
  path: string,
  checked: Checked,
  refuse: Refuse,
): void {
  const listener = tcpListenerOf(name, checked);
  checkKey(pool, path, listener, refuse);
  if (pool.loadHeader === true && listener !== null) {
    const requirement = `must be left out, as ${listener} is a tcp listener, where there are no headers`;
    refuse(`${path}.loadHeader`, requirement, 'found true');
  }
  checkSticky(pool, path, listener, refuse);
  if (pool.policy?.name !== undefined && pool.policy.module !== undefined) {
    refuse(`${path}.policy.module`, 'must stand alone, without name', 'found both');
  }
  if (pool.preferZone === true && checked.zone === undefined && !refuse.isFaulty('zone')) {
    const requirement = 'must stand with a top-level zone, which says where this balancer is';
    refuse(`${path}.preferZone`, requirement, 'found no zone');
  }
}

/** A subset must lead somewhere, where the pool's servers are written down. */
export function checkSubset(
  { pool, subset }: CheckedRoute,
  path: string,
  checked: Checked,
  refuse: Refuse,
): void {
  if (subset === undefined) return;
  if (pool === undefined) {
    refuse(`${path}.subset`, 'must stand with the pool that it is a part of', 'found no pool');
    return;
  }
  const servers = checked.pools?.get(pool)?.servers ?? [];
  for (const [label, value] of subset) {
    if (servers.length === 0 || servers.some(({ labels }) => labels?.get(label) === value))
      continue;
    const requirement = `must be a label that a server of ${pool} has`;
    refuse(keyPath(`${path}.subset`, label), requirement, `found ${shown(value)}`);
  }
}

/** Path of a tcp listener that uses the pool, if there is one: it has links and no requests. */
function tcpListenerOf(name: string, checked: Checked): string | null {
  const index = (checked.listeners ?? []).findIndex(
    ({ protocol, pool }) => protocol === 'tcp' && pool === name,
  );
  return index < 0 ? null : `listeners[${index}]`;
}

function checkSticky(
  { sticky }: CheckedPool,
  path: string,
  listener: string | null,
  refuse: Refuse,
): void {
  if (sticky === undefined) return;
  if (listener !== null) {
    const requirement = `must be left out, as ${listener} is a tcp listener, where there are no cookies`;
    refuse(`${path}.sticky`, requirement, 'found a value', 'policy: ip-hash');
  }
  if (sticky.secret !== undefined && sticky.secretFile !== undefined) {
    refuse(`${path}.sticky.secretFile`, 'must stand alone, without secret', 'found both');
  }
  if (sticky.sameSite === 'none' && sticky.secure === 'never') {
    const requirement =
      'must not be false with sameSite none, which browsers take from https alone';
    refuse(`${path}.sticky.secure`, requirement, 'found false');
  }
}

function checkKey(
  { policy, key }: CheckedPool,
  path: string,
  listener: string | null,
  refuse: Refuse,
): void {
  if (key === undefined || key.from === 'ip') return;
  if (policy?.name !== 'hash' && policy?.module === undefined) {
    const found = `found policy ${policy?.name ?? 'p2c'}`;
    refuse(`${path}.key`, 'must stand with the policy that goes by it', found, 'policy: hash');
    return;
  }
  if (listener === null) return;
  const requirement = `must be ip, as ${listener} is a tcp listener, where there are no requests`;
  refuse(`${path}.key`, requirement, `found ${key.from}`, 'ip');
}
