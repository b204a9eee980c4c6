import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../probe/manual-clock.ts';
import { NameResolver } from './resolver.ts';

type Answer = { addresses: string[]; ttlMs: number } | Error;

function start(answers: Answer[]): {
  resolver: NameResolver;
  clock: ManualClock;
  asked: string[];
  changes: () => number;
  reports: string[];
} {
  const clock = new ManualClock();
  const asked: string[] = [];
  const reports: string[] = [];
  let changes = 0;
  const resolver = new NameResolver({
    clock,
    ask: (host) => {
      asked.push(host);
      const answer = answers.shift() ?? new Error('no answer left');
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    onChange: () => {
      changes++;
    },
    report: (message) => reports.push(message),
  });
  return { resolver, clock, asked, changes: () => changes, reports };
}

/** Lets the promises of one answer run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('resolve() passes IPs and Unix sockets without asking', () => {
  const { resolver, asked } = start([]);
  resolver.track(['10.0.0.1:80', 'unix:/run/a.sock']);
  assert.deepEqual(resolver.resolve('10.0.0.1:80'), { kind: 'ip', host: '10.0.0.1', port: 80 });
  assert.deepEqual(resolver.resolve('unix:/run/a.sock'), { kind: 'unix', path: '/run/a.sock' });
  assert.deepEqual(asked, []);
});

test('a name is asked again after its TTL, and moves only when its address is gone', async () => {
  const { resolver, clock, asked, changes } = start([
    { addresses: ['10.0.0.1'], ttlMs: 5_000 },
    { addresses: ['10.0.0.2', '10.0.0.1'], ttlMs: 5_000 },
    { addresses: ['10.0.0.2'], ttlMs: 5_000 },
  ]);
  resolver.track(['app.internal:80', 'app.internal:81']);
  assert.equal(resolver.resolve('app.internal:80'), null);
  await turn();
  assert.deepEqual(resolver.resolve('app.internal:81'), { kind: 'ip', host: '10.0.0.1', port: 81 });
  assert.equal(changes(), 1);
  clock.advance(4_999);
  assert.equal(asked.length, 1);
  clock.advance(1);
  await turn();
  assert.equal(changes(), 1);
  clock.advance(5_000);
  await turn();
  assert.deepEqual(resolver.resolve('app.internal:80'), { kind: 'ip', host: '10.0.0.2', port: 80 });
  assert.equal(changes(), 2);
});

test('the last good answer stays while DNS is down, which is reported once', async () => {
  const { resolver, clock, asked, reports } = start([
    { addresses: ['10.0.0.1'], ttlMs: 0 },
    new Error('SERVFAIL'),
    new Error('SERVFAIL'),
    { addresses: ['10.0.0.1'], ttlMs: 60_000 },
  ]);
  resolver.track(['app.internal:80']);
  await turn();
  for (const afterMs of [1_000, 1_000, 2_000]) {
    clock.advance(afterMs);
    await turn();
  }
  assert.equal(asked.length, 4);
  assert.notEqual(resolver.resolve('app.internal:80'), null);
  assert.equal(reports.length, 2);
  assert.match(reports[0] as string, /10\.0\.0\.1 stays in use/);
});

test('settled() ends with the first answers or at its limit; forgotten names are not asked again', async () => {
  const { resolver, clock } = start([new Error('NXDOMAIN')]);
  await resolver.settled(1_000);
  resolver.track(['app.internal:80']);
  await resolver.settled(1_000);
  resolver.track([]);
  assert.equal(clock.pending, 0);
});
