import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainBalancing } from '../../model/balancing.ts';
import { standardRetry } from '../../model/retry.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Config, ConfigServer } from '../config/config.ts';
import { ManualClock } from '../probe/manual-clock.ts';
import { Publisher } from './publisher.ts';
import { NameResolver } from './resolver.ts';
import { SlotBook } from './slots.ts';

function server(address: string, weight = 1): ConfigServer {
  return { address, weight, isBackup: false, tier: 0, connectionsMax: 0, labels: {} };
}

function config(...servers: ConfigServer[]): Config {
  return {
    listeners: [],
    routes: [],
    pools: [
      {
        name: 'web',
        policy: 'p2c',
        servers,
        discover: [],
        probes: [],
        probeRule: 'all',
        outlier: null,
        breaker: null,
        timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1 },
        balancing: plainBalancing,
        retry: standardRetry,
        connectionsMax: 0,
        queue: null,
        reuse: { idleMs: 1, requestsMax: 1, ageMs: 1, perWorkerMax: 1 },
      },
    ],
    timeouts: { headerMs: 1, keepAliveMs: 1, idleMs: 1, drainMs: 1, tunnelMs: 3_600_000 },
    limits: { headBytesMax: 1, headFieldsMax: 1, connectionsMax: 1 },
    trustedPeers: [],
    errors: [],
    geo: null,
    files: [],
    viaName: 'evenkeel',
    workers: null,
    log: { access: { kind: 'off' }, format: 'json', form: null, level: 'info' },
    tracing: null,
    metrics: null,
    admin: { address: null, token: null, socket: null },
  };
}

function start(initial: Config, serverSlots = 8): { publisher: Publisher; published: Snapshot[] } {
  const published: Snapshot[] = [];
  const publisher = new Publisher(initial, {
    slots: new SlotBook({
      capacities: { listener: 4, route: 4, pool: 4, server: serverSlots },
      isQuiet: () => true,
      onReused: () => {},
      onReturned: () => {},
    }),
    resolver: new NameResolver({
      clock: new ManualClock(),
      ask: () => Promise.reject(new Error('no names here')),
      onChange: () => {},
      report: () => {},
    }),
    wallMs: () => 1_000_000,
    publish: (snapshot) => published.push(snapshot),
  });
  publisher.publish();
  return { publisher, published };
}

const weightsOf = (snapshot: Snapshot): Record<string, number> =>
  Object.fromEntries(snapshot.pools[0]?.servers.map((s) => [s.address, s.weight]) ?? []);
const last = (published: Snapshot[]): Snapshot => published.at(-1) as Snapshot;

test('each change publishes one version; a change of nothing publishes none', () => {
  const { publisher, published } = start(config(server('10.0.0.1:1'), server('10.0.0.2:1')));
  assert.deepEqual(
    publisher.change([{ op: 'set', pool: 'web', address: '10.0.0.1:1', weight: 5 }]),
    { ok: true, version: 2 },
  );
  assert.deepEqual(
    publisher.change([{ op: 'set', pool: 'web', address: '10.0.0.1:1', weight: 5 }]),
    { ok: true, version: 2 },
  );
  assert.deepEqual(
    publisher.change([{ op: 'drain', pool: 'web', address: '10.0.0.2:1', forMs: null }]),
    { ok: true, version: 3 },
  );
  assert.ok(publisher.isDrained('web', '10.0.0.2:1'));
  assert.deepEqual(weightsOf(last(published)), { '10.0.0.1:1': 5, '10.0.0.2:1': 1 });
  assert.deepEqual(
    published.map((s) => s.version),
    [1, 2, 3],
  );
});

test('added and removed servers stay so over a reload that does not speak of them', () => {
  const file = config(server('10.0.0.1:1'), server('10.0.0.2:1'));
  const { publisher, published } = start(file);
  publisher.change([{ op: 'add', pool: 'web', server: { address: '10.0.0.3:1', weight: 2 } }]);
  publisher.change([{ op: 'remove', pool: 'web', address: '10.0.0.1:1' }]);
  publisher.replace({ ...file, viaName: 'other' });
  assert.deepEqual(weightsOf(last(published)), { '10.0.0.2:1': 1, '10.0.0.3:1': 2 });
});

test('the file wins over operators where it says something new', () => {
  const { publisher, published } = start(config(server('10.0.0.1:1'), server('10.0.0.2:1')));
  publisher.change([{ op: 'set', pool: 'web', address: '10.0.0.1:1', weight: 9 }]);
  publisher.change([{ op: 'set', pool: 'web', address: '10.0.0.2:1', weight: 9 }]);
  publisher.change([{ op: 'remove', pool: 'web', address: '10.0.0.2:1' }]);
  publisher.replace(config(server('10.0.0.1:1', 3), server('10.0.0.2:1'), server('10.0.0.4:1')));
  assert.deepEqual(weightsOf(last(published)), {
    '10.0.0.1:1': 3,
    '10.0.0.2:1': 1,
    '10.0.0.4:1': 1,
  });
});

test('refusals say what is required and change nothing', () => {
  const { publisher, published } = start(config(server('10.0.0.1:1')), 1);
  const codeOf = (outcome: ReturnType<Publisher['change']>): string =>
    outcome.ok ? 'ok' : outcome.problem.code;
  assert.equal(
    codeOf(publisher.change([{ op: 'set', pool: 'wep', address: '10.0.0.1:1', weight: 1 }])),
    'unknown-pool',
  );
  assert.equal(
    codeOf(publisher.change([{ op: 'set', pool: 'web', address: '10.0.0.9:1', weight: 1 }])),
    'unknown-server',
  );
  assert.equal(
    codeOf(publisher.change([{ op: 'set', pool: 'web', address: '10.0.0.1:1', weight: 1.5 }])),
    'invalid-weight',
  );
  assert.equal(
    codeOf(publisher.change([{ op: 'add', pool: 'web', server: { address: 'nowhere' } }])),
    'invalid-server',
  );
  assert.equal(
    codeOf(publisher.change([{ op: 'add', pool: 'web', server: { address: '10.0.0.1:1' } }])),
    'server-exists',
  );
  assert.equal(
    codeOf(publisher.change([{ op: 'add', pool: 'web', server: { address: '10.0.0.2:1' } }])),
    'capacity-reached',
  );
  assert.equal(published.length, 1);
  assert.deepEqual(publisher.effective, publisher.config);
});

test('restoreOverlay() brings back what another process had, except what the file lost', () => {
  const file = config(server('10.0.0.1:1'), server('10.0.0.2:1'));
  const { publisher } = start(file);
  publisher.change([{ op: 'drain', pool: 'web', address: '10.0.0.1:1', forMs: null }]);
  publisher.change([{ op: 'drain', pool: 'web', address: '10.0.0.2:1', forMs: null }]);
  publisher.change([{ op: 'add', pool: 'web', server: { address: '10.0.0.3:1' } }]);
  const state: unknown = JSON.parse(JSON.stringify(publisher.overlayState));
  const { publisher: next } = start(config(server('10.0.0.1:1')));
  next.restoreOverlay(state as typeof publisher.overlayState);
  assert.ok(next.isDrained('web', '10.0.0.1:1'));
  assert.ok(!next.isDrained('web', '10.0.0.2:1'));
  assert.deepEqual(weightsOf(next.publish()), { '10.0.0.1:1': 1, '10.0.0.3:1': 1 });
});

test('several changes are one publication, or none when one of them is refused', () => {
  const { publisher, published } = start(config(server('10.0.0.1:1'), server('10.0.0.2:1')));
  const refused = publisher.change([
    { op: 'add', pool: 'web', server: { address: '10.0.0.3:1' } },
    { op: 'drain', pool: 'web', address: '10.0.0.1:1', forMs: 1_000 },
    { op: 'set', pool: 'web', address: '10.0.0.9:1', weight: 2 },
  ]);
  assert.ok(!refused.ok);
  assert.deepEqual([refused.problem.code, refused.problem.index], ['unknown-server', 2]);
  assert.deepEqual(publisher.effective, publisher.config);
  assert.ok(!publisher.isDrained('web', '10.0.0.1:1'));
  assert.equal(published.length, 1);
  // A later change may speak of what an earlier one adds.
  const done = publisher.change([
    { op: 'add', pool: 'web', server: { address: '10.0.0.3:1' } },
    { op: 'set', pool: 'web', address: '10.0.0.3:1', weight: 4 },
    { op: 'remove', pool: 'web', address: '10.0.0.2:1' },
    { op: 'drain', pool: 'web', address: '10.0.0.1:1', forMs: 60_000 },
  ]);
  assert.deepEqual(done, { ok: true, version: 2 });
  assert.deepEqual(weightsOf(last(published)), { '10.0.0.1:1': 1, '10.0.0.3:1': 4 });
  assert.equal(publisher.drainedUntil('web', '10.0.0.1:1'), 1_060_000);
});

test('what operators did to found servers holds while those are found', () => {
  const { publisher, published } = start(config(server('10.0.0.1:1')));
  const find = (...addresses: string[]): void => {
    publisher.discover(new Map([['web', addresses.map((address) => server(address))]]));
  };
  find('10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1');
  publisher.change([
    { op: 'drain', pool: 'web', address: '10.0.0.2:1', forMs: null },
    { op: 'remove', pool: 'web', address: '10.0.0.3:1' },
  ]);
  find('10.0.0.2:1', '10.0.0.3:1', '10.0.0.4:1');
  assert.deepEqual(weightsOf(last(published)), {
    '10.0.0.1:1': 1,
    '10.0.0.2:1': 1,
    '10.0.0.4:1': 1,
  });
  assert.ok(publisher.isDrained('web', '10.0.0.2:1'));
  find();
  find('10.0.0.2:1', '10.0.0.3:1');
  // They were gone: what comes under their addresses is new.
  assert.ok(!publisher.isDrained('web', '10.0.0.2:1'));
  assert.equal(weightsOf(last(published))['10.0.0.3:1'], 1);
});

test('found servers that do not fit leave what was there before', () => {
  const { publisher, published } = start(config(server('10.0.0.1:1')), 2);
  const found = ['10.0.0.2:1', '10.0.0.3:1'].map((address) => server(address));
  const outcome = publisher.discover(new Map([['web', found]]));
  assert.ok(!outcome.ok);
  assert.equal(outcome.problem.code, 'capacity-reached');
  assert.equal(published.length, 1);
  assert.deepEqual(publisher.effective, publisher.config);
});

test('what a reload does not change is the same object in the next snapshot', () => {
  const route = (path: string): Config['routes'][number] => ({
    name: path,
    listeners: [],
    match: { hosts: [], paths: [path], methods: [], conditions: [] },
    pool: 'web',
    respond: null,
    actions: null,
    allowEncodedSeparators: false,
    retry: null,
  });
  const of = (weight: number, path: string): Config => {
    const one = config(server('10.0.0.1:1', weight));
    const [pool] = one.pools as [Config['pools'][number]];
    const other = { ...pool, name: 'api', servers: [server('10.0.0.9:1')] };
    return { ...one, routes: [route(path)], pools: [pool, other] };
  };
  const { publisher } = start(of(1, '/a'));
  const first = publisher.snapshot as Snapshot;
  const second = publisher.replace(of(1, '/a'));
  assert.equal(second.routes, first.routes);
  assert.deepEqual(
    [second.pools[0] === first.pools[0], second.pools[1] === first.pools[1]],
    [true, true],
  );
  const third = publisher.replace(of(2, '/b'));
  assert.notEqual(third.routes, first.routes);
  assert.deepEqual(
    [third.pools[0] === first.pools[0], third.pools[1] === first.pools[1]],
    [false, true],
  );
  assert.deepEqual(weightsOf(third), { '10.0.0.1:1': 2 });
  publisher.change([{ op: 'set', pool: 'api', address: '10.0.0.9:1', weight: 7 }]);
  const fourth = publisher.snapshot as Snapshot;
  assert.equal(fourth.pools[0], third.pools[0]);
  assert.equal(fourth.pools[1]?.servers[0]?.weight, 7);
  assert.equal(fourth.pools[1]?.servers[0]?.slot, first.pools[1]?.servers[0]?.slot);
});
