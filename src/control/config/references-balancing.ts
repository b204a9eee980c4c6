import type { Checked, CheckedPool } from './checked.ts';
import type { Refuse } from './refuse.ts';

/** What a pool says of balancing must fit together, and fit the listeners that use it. */
export function checkBalancing(
  name: string,
  pool: CheckedPool,
  path: string,
  checked: Checked,
  refuse: Refuse,
): void {
  checkKey(name, pool, path, checked, refuse);
}

/** Path of a tcp listener that uses the pool, if there is one: it has links and no requests. */
function tcpListenerOf(name: string, checked: Checked): string | null {
  const index = (checked.listeners ?? []).findIndex(
    ({ protocol, pool }) => protocol === 'tcp' && pool === name,
  );
  return index < 0 ? null : `listeners[${index}]`;
}

function checkKey(
  name: string,
  { policy, key }: CheckedPool,
  path: string,
  checked: Checked,
  refuse: Refuse,
): void {
  if (key === undefined || key.from === 'ip') return;
  if (policy !== 'hash') {
    const found = `found policy ${policy ?? 'p2c'}`;
    refuse(`${path}.key`, 'must stand with the policy that goes by it', found, 'policy: hash');
    return;
  }
  const listener = tcpListenerOf(name, checked);
  if (listener === null) return;
  const requirement = `must be ip, as ${listener} is a tcp listener, where there are no requests`;
  refuse(`${path}.key`, requirement, `found ${key.from}`, 'ip');
}
