import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from './config.ts';
import { configDifference, describeDifference } from './difference.ts';
import { loadConfig } from './load.ts';
import { toSnapshot } from './to-snapshot.ts';

async function configOf(text: string): Promise<Config> {
  const result = await loadConfig({ kind: 'text', name: 'x.yaml', text });
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

const before = `
listeners: [":80", { name: old, address: ":81" }]
routes: [{ name: one, match: /a, pool: a }, { name: two, pool: b }]
pools:
  a: ["10.0.0.1:80", "app:80"]
  b: { servers: [{ address: "10.0.0.2:80", labels: { x: "1", y: "2" } }], policy: first }
`;

test('toSnapshot() gives slots, targets and version to a configuration', async () => {
  const config = await configOf(before);
  let slot = 0;
  const asked: string[] = [];
  const take = (what: string): number => {
    asked.push(what);
    return slot++;
  };
  const snapshot = toSnapshot(
    config,
    {
      listener: (name) => take(`listener ${name}`),
      route: (name) => take(`route ${name}`),
      pool: (name) => take(`pool ${name}`),
      server: (pool, address) => take(`server ${pool}/${address}`),
    },
    (address) =>
      address === 'app:80' ? null : { kind: 'ip', host: address.slice(0, -3), port: 80 },
    7,
  );
  assert.deepEqual(asked, [
    'listener port-80',
    'listener old',
    'route one',
    'route two',
    'pool a',
    'server a/10.0.0.1:80',
    'server a/app:80',
    'pool b',
    'server b/10.0.0.2:80',
  ]);
  assert.equal(snapshot.version, 7);
  assert.equal(snapshot.accessLog, true);
  const [first, second] = snapshot.pools[0]?.servers ?? [];
  assert.deepEqual(first?.target, { kind: 'ip', host: '10.0.0.1', port: 80 });
  assert.equal(second?.target, null);
  assert.equal(second?.slot, 6);
  // What is sent to workers must be plain data, without what only the process needs.
  assert.deepEqual(structuredClone(snapshot), snapshot);
  assert.equal('bind' in (snapshot.listeners[0] ?? {}), false);
});

test('configDifference() names what a reload changes', async () => {
  const after = `
listeners: [":80", { name: new, address: ":82" }]
routes: [{ name: two, pool: b }, { name: one, match: /b, pool: a }]
pools:
  a: ["10.0.0.1:80", "10.0.0.3:80"]
  b: { servers: [{ address: "10.0.0.2:80", labels: { y: "2", x: "1" } }], policy: random }
  c: []
timeouts: { drain: 5s }
`;
  const difference = configDifference(await configOf(before), await configOf(after));
  assert.equal(
    describeDifference(difference),
    'listeners: +new -old; routes: ~one; routes: another order; pools: +c ~b; ' +
      'servers: +a/10.0.0.3:80 -a/app:80; settings: ~timeouts',
  );
  const none = configDifference(await configOf(before), await configOf(before));
  assert.equal(describeDifference(none), 'nothing changed');
});
