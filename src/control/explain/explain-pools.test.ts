import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionCookies } from '../../balance/session-cookie.ts';
import { setWeightFactor, WeightSource } from '../../balance/weight-factor.ts';
import { Verdict } from '../../model/shared-memory.ts';
import type { PoolHealthReport } from '../report/health-report.ts';
import { explained, idleWords, plainMeans, snapshotOf } from './explain-rig.ts';
import type { ExplainedPool, Explanation } from './explanation.ts';

const listeners = [{ name: 'web', address: ':8080' }];
const first = '10.0.0.1:80';
const second = '10.0.0.2:80';

/** A pool with what differs, in a configuration that has a fallback for it. */
function rigOf(pool: Readonly<Record<string, unknown>>, route: object = { fallback: 'spare' }) {
  const snapshot = snapshotOf({
    listeners,
    zone: 'a',
    routes: [{ name: 'all', pool: 'web', ...route }],
    pools: {
      web: { policy: 'first', servers: [first, second], ...pool },
      spare: ['10.0.0.9:80'],
    },
  });
  const words = idleWords();
  const ask = (headers: readonly string[] = [], report: PoolHealthReport | null = null) =>
    explained('/', { ...plainMeans(snapshot, words), reportOf: () => report }, { headers });
  return { snapshot, words, ask };
}

function main({ pools }: Explanation): ExplainedPool {
  return pools[0]!;
}

test('an open breaker refuses and sends to the fallback; a half-open one says how many trials are left', () => {
  const { words, ask } = rigOf({ breaker: {} });
  assert.equal(main(ask()).breaker, 'closed: requests pass');
  words.breaker[0] = -1;
  const open = ask();
  assert.deepEqual([main(open).fate, main(open).picked], ['refused', null]);
  assert.match(open.outcome, /web, which cannot take it now \(503 circuit-open: /);
  assert.match(
    open.outcome,
    /so it goes to the fallback, the pool spare, .* server 10\.0\.0\.9:80/,
  );
  words.breaker[0] = 4;
  const half = main(ask());
  assert.equal(half.picked, first);
  assert.match(half.breaker ?? '', /^half open: this request may pass as one of 3 trials/);
  words.breaker[0] = 1;
  assert.equal(main(ask()).fate, 'refused');
});

test('a full pool lets wait where it has a queue, and says the place and the class', () => {
  const servers = [{ address: first, maxConnections: 2 }];
  const classes = { header: 'x-plan', values: { gold: 0 } };
  const { words, ask } = rigOf({ servers, queue: { size: 5, timeout: '3s', classes } });
  assert.equal(main(ask()).fate, 'server');
  words.inFlight[0] = 2;
  words.poolQueued[0] = 1;
  const waits = ask(['X-Plan: gold']);
  assert.equal(main(waits).fate, 'waits');
  assert.match(main(waits).queue ?? '', /^1 of 5 places .* 3 s at most; it is of class 0/);
  assert.match(waits.outcome, /the pool web, where every place is taken; 1 of 5/);
  assert.equal(main(waits).servers[0]?.why, 'full: 2 of 2 places are taken');
  // Somebody waits: who comes later goes behind them, even if a place is free just now.
  words.inFlight[0] = 1;
  assert.equal(main(ask()).fate, 'waits');
  words.poolQueued[0] = 5;
  assert.match(ask().outcome, /503 queue-full.*so it goes to the fallback/);
});

test('limits without a queue refuse, each with its own word', () => {
  const { words, ask } = rigOf({ maxConnections: 3 }, {});
  assert.equal(main(ask()).limit, '0 of 3 places of the whole pool are taken');
  words.poolInFlight[0] = 3;
  assert.match(ask().outcome, /503 pool-limit-reached: .*: that is the answer$/);
  const busy = rigOf({ servers: [{ address: first, maxConnections: 1 }] }, {});
  busy.words.inFlight[0] = 1;
  assert.match(busy.ask().outcome, /503 server-limit-reached: /);
});

test('the session of a cookie is read as traffic reads it', () => {
  const sticky = { cookie: 'seat', secret: 'a-secret-of-more-than-sixteen-letters' };
  const { snapshot, words, ask } = rigOf({ sticky });
  const pool = snapshot.pools[0]!;
  const cookies = new SessionCookies(pool.balancing.sticky!, pool.servers);
  const withCookie = (value: string | null) => ask([`Cookie: a=b; seat=${value}`]);
  const endless = cookies.valueFor(1, Number.POSITIVE_INFINITY);
  assert.match(main(ask()).session ?? '', /^no cookie seat/);
  assert.equal(main(ask()).picked, first);
  const kept = main(withCookie(endless));
  assert.deepEqual([kept.picked, kept.pickedWhy], [second, 'its session is there']);
  assert.match(main(withCookie(`x${endless}`)).session ?? '', /not one of ours/);
  assert.match(main(withCookie(cookies.valueFor(1, 940_000))).session ?? '', /ended 1 min 0 s ago/);
  words.verdict[1] = Verdict.DRAINING;
  assert.match(main(withCookie(endless)).session ?? '', /keeps its sessions while it drains/);
  words.verdict[1] = Verdict.PROBE_DOWN;
  const moved = main(withCookie(endless));
  assert.match(moved.session ?? '', /leads to 10\.0\.0\.2:80, which is not well/);
  assert.equal(moved.picked, first);
});

test('weights, zones and tiers are told as the shares that servers get', () => {
  const servers = [
    { address: first, labels: { zone: 'a' } },
    { address: second, labels: { zone: 'b' } },
    { address: '10.0.0.3:80', labels: { zone: 'b' }, tier: 1 },
  ];
  const zoned = rigOf({ policy: 'round-robin', preferZone: true, servers });
  assert.deepEqual(
    main(zoned.ask()).servers.map(({ share, group }) => [share, group]),
    [
      [1, 'tier 0, zone a, ours'],
      [0, 'tier 0, zone b, only stands in when the others cannot take all'],
      [0, 'tier 1, zone b, only stands in when the others cannot take all'],
    ],
  );
  const ramped = rigOf({ policy: 'p2c' });
  setWeightFactor(ramped.words, WeightSource.SLOW_START, 1, 0.25);
  const [whole, slow] = main(ramped.ask()).servers;
  assert.deepEqual([whole?.share, slow?.share, slow?.weight], [0.8, 0.2, 0.25]);
});

test('hooks are named, with what comes of their failure, and the sentence says that they may decide', () => {
  const rig = rigOf({}, {});
  const module = { path: '/x/hooks.ts', version: '1', timeoutMs: 500, onFailure: 'pass' } as const;
  const routes = rig.snapshot.routes.map((route) => ({ ...route, hooks: module }));
  const means = plainMeans({ ...rig.snapshot, hooks: module, routes }, rig.words);
  const { hooks, outcome } = explained('/', means);
  assert.deepEqual(
    hooks.map(({ of }) => of),
    ['every route', 'this route'],
  );
  assert.match(hooks[0]?.onFailure ?? '', /more than 500 ms, the request goes on without it/);
  assert.match(outcome, /; unless a hook decides otherwise$/);
});
