import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DialAddress, Probe } from '../../model/snapshot.ts';
import type { ConnectProbe } from '../../platform/probe-link.ts';
import { ManualClock } from './manual-clock.ts';
import { plainProbe } from './plain-probe.ts';
import { labelOf, ProbeSet } from './probe-set.ts';
import type { ProbeMeans } from './server-probe.ts';
import { SharedAttempts } from './shared-attempts.ts';

const target: DialAddress = { kind: 'ip', host: '10.0.0.1', port: 80 };
const tcp: Probe = { ...plainProbe, jitterRatio: 0 };
const agent: Probe = { ...tcp, type: 'agent', port: 9777 };

/** Servers that refuse by port; agents say what stands in `lines`. */
function stage() {
  const clock = new ManualClock();
  const refusing = new Set<number>();
  const tried: number[] = [];
  const lines = new Map<number, string>();
  const connect: ConnectProbe = (to, handler) => {
    const port = to.kind === 'ip' ? to.port : 0;
    tried.push(port);
    const timer = clock.after(1, () => {
      if (refusing.has(port)) {
        handler.onError('ECONNREFUSED');
        return;
      }
      handler.onConnected();
      const line = lines.get(port);
      if (line !== undefined) handler.onBytes(Buffer.from(`${line}\n`));
    });
    return { send: () => {}, destroy: () => timer.stop() };
  };
  const means: ProbeMeans = {
    clock,
    connect,
    run: () => () => {},
    attempts: new SharedAttempts(),
    random: () => 0.5,
    lagMs: () => 0,
  };
  let passes = 0;
  const listener = {
    onProbed: () => {},
    onPass: () => {
      passes++;
    },
  };
  const setOf = (probes: readonly Probe[], probeRule: 'all' | 'any', name = 'web'): ProbeSet =>
    new ProbeSet(
      { pool: { name, probes, probeRule }, address: 'a:80', target },
      means,
      listener,
      0,
    );
  return { clock, refusing, tried, lines, setOf, passes: () => passes };
}

test('all probes must pass, or any, and the reason names those that decide', () => {
  for (const [rule, isUp] of [
    ['all', false],
    ['any', true],
  ] as const) {
    const { clock, refusing, setOf } = stage();
    const set = setOf([tcp, { ...tcp, port: 81 }], rule);
    assert.equal(set.isUp, false);
    clock.advance(10);
    assert.equal(set.isUp, true);
    assert.equal(set.reason, 'tcp: connected; tcp port 81: connected');
    refusing.add(81);
    clock.advance(20_000);
    assert.equal(set.isUp, isUp, rule);
    assert.equal(set.reason, isUp ? 'tcp: connected' : 'tcp port 81: connect refused');
    set.stop();
    assert.equal(clock.pending, 0);
  }
});

test('an agent drains, weighs and takes out at once; its silence changes nothing', () => {
  const { clock, refusing, lines, setOf, passes } = stage();
  lines.set(9777, 'up 75%');
  const set = setOf([tcp, agent], 'any');
  clock.advance(10);
  assert.deepEqual([set.isUp, set.isDraining, set.factor], [true, false, 0.75]);
  // Connections to the agent's port say nothing about the server's own.
  assert.equal(passes(), 1);
  lines.set(9777, 'drain');
  clock.advance(5_000);
  assert.deepEqual([set.isUp, set.isDraining, set.factor], [true, true, 0.75]);
  lines.set(9777, 'ready 100% down #disk full');
  clock.advance(5_000);
  assert.deepEqual([set.isUp, set.isDraining, set.factor], [false, false, 1]);
  assert.equal(set.reason, 'agent port 9777: agent says down: disk full');
  refusing.add(9777);
  clock.advance(20_000);
  assert.equal(set.isUp, false);
  assert.match(set.probes[1]!.verdict.history().at(-1)!.reason, /connect refused; the last word/);
  refusing.clear();
  lines.set(9777, 'up');
  clock.advance(6_000);
  assert.equal(set.isUp, true);
});

test('a server whose agent does not answer is up', () => {
  const { clock, refusing, setOf } = stage();
  refusing.add(9777);
  const set = setOf([agent], 'all');
  assert.equal(set.isUp, true);
  clock.advance(30_000);
  assert.equal(set.isUp, true);
});

test('update() goes on with probes of the same types and takes nobody out for new ones', () => {
  const { clock, refusing, setOf } = stage();
  const set = setOf([tcp], 'all');
  clock.advance(10);
  const server = { address: 'a:80', target };
  const first = set.probes[0];
  set.update({ ...server, pool: { name: 'web', probes: [{ ...tcp, fall: 1 }], probeRule: 'all' } });
  assert.equal(set.probes[0], first);
  refusing.add(82);
  const probes = [tcp, { ...tcp, port: 82 }, agent];
  set.update({ ...server, pool: { name: 'web', probes, probeRule: 'all' } });
  assert.equal(set.isUp, true);
  clock.advance(3_000);
  assert.equal(set.isUp, false);
});

test('pools that ask the same of the same server share one attempt', () => {
  const { clock, tried, setOf } = stage();
  const sets = ['a', 'b', 'c'].map((name) => setOf([tcp], 'all', name));
  clock.advance(60_000);
  assert.ok(sets.every((set) => set.isUp && set.probes[0]!.verdict.history().length >= 12));
  // One alone: at 0 s and each 5 s.
  assert.ok(tried.length <= 13, `${tried.length}`);
  sets[0]!.stop();
  sets[1]!.stop();
  clock.advance(30_000);
  assert.ok(tried.length <= 20, `${tried.length}`);
  const before = tried.length;
  setOf([{ ...tcp, send: 'x' }], 'all');
  clock.advance(1);
  assert.equal(tried.length, before + 1, 'another question is asked apart');
});

test('labelOf() names a probe in short', () => {
  assert.equal(labelOf({ ...tcp, type: 'http', path: '/up' }), 'http /up');
  assert.equal(labelOf({ ...tcp, type: 'http', path: '/up', port: 81 }), 'http :81/up');
  assert.equal(labelOf({ ...tcp, type: 'exec', command: '/bin/true' }), 'exec /bin/true');
});
