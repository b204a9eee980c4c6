import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PoolPlan } from '../../capacity/plan-pool.ts';
import { Figure, figureCount } from '../../model/history.ts';
import type { Program } from '../../platform/run-program.ts';
import type { ConfigAlerts, ConfigScaling } from '../config/config.ts';
import type { RecordedRow } from '../history/recorder.ts';
import { ManualClock } from '../probe/manual-clock.ts';
import { Exposition } from '../report/exposition.ts';
import type { PoolSample, ServerSample, TrafficSample } from '../report/sample.ts';
import { Outlook } from './outlook.ts';
import { outlookMetrics } from './outlook-metrics.ts';

const alerts: ConfigAlerts = {
  webhook: 'http://hooks.test/a',
  errorRatio: 0.05,
  headroomRatio: 0.1,
  serverDownMs: 30_000,
  forMs: 30_000,
};
const scaling: ConfigScaling = {
  webhook: 'http://hooks.test/s',
  command: '/bin/scale',
  everyMs: 60_000,
};

/** A pool of two servers whose traffic a test decides, second by second. */
class Rig {
  readonly told: Record<string, unknown>[] = [];
  readonly ran: Program[] = [];
  readonly outlook: Outlook;
  isDown = false;
  usableRate: number | null = null;
  p99TargetMs: number | null = null;
  #atMs = 1_000_000_000;

  constructor() {
    this.outlook = new Outlook({
      clock: new ManualClock(),
      aims: () => [
        {
          name: 'web',
          serversUp: 2,
          connectionsMax: 0,
          p99TargetMs: this.p99TargetMs,
          loadMax: 0.8,
          successTarget: 0.999,
        },
      ],
      planOf: () => Promise.resolve(this.#plan()),
      notify: (url, body) => this.told.push({ url, ...(body as object) }),
      run: (program) => {
        this.ran.push(program);
        return () => {};
      },
      log: () => {},
    });
  }

  /** Ten seconds with so many requests and errors. */
  async pass(requests: number, errors = 0, p99Ms = 10): Promise<void> {
    const figures = new Float64Array(figureCount);
    figures[Figure.REQUESTS] = requests;
    figures[Figure.ERRORS] = errors;
    figures[Figure.P99_US] = p99Ms * 1_000;
    for (let second = 1; second <= 10; second++) {
      this.#atMs += 1_000;
      const keys = [{ kind: 'pool', pool: '', name: 'web' } as const];
      const row: RecordedRow = { tier: 1, atMs: this.#atMs, spanMs: 10_000, keys, figures };
      this.outlook.take(this.#atMs, this.#sample(), second === 10 ? [row] : []);
    }
    // The answer of a plan.
    await new Promise((resolve) => setImmediate(resolve));
  }

  changes(): string[] {
    return this.told.map(({ type, rule, state, server, serversWanted }) =>
      type === 'alert'
        ? `${rule} ${state}${server === null ? '' : ` ${server}`}`
        : `wanted ${serversWanted}`,
    );
  }

  #plan(): PoolPlan | null {
    const usable = this.usableRate === null ? null : { rate: this.usableRate, limitedBy: 'load' };
    return { usable } as PoolPlan;
  }

  #sample(): TrafficSample {
    const server = (address: string, isDown: boolean): ServerSample =>
      ({ address, state: isDown ? 'down' : 'up', why: 'probe: connect refused' }) as ServerSample;
    const servers = [server('a:1', this.isDown), server('b:1', false)];
    const pool = { name: 'web', servers } as unknown as PoolSample;
    return { atMs: this.#atMs, listeners: [], routes: [], pools: [pool] };
  }
}

test('errors and p99 are told when they last, and again when they are over for long', async () => {
  const rig = new Rig();
  rig.p99TargetMs = 100;
  rig.outlook.use({ alerts, scaling: null });
  for (let i = 0; i < 6; i++) await rig.pass(100);
  assert.deepEqual(rig.changes(), []);
  for (let i = 0; i < 12; i++) await rig.pass(100, 10, 300);
  assert.deepEqual(rig.changes().sort(), ['errors raised', 'p99 raised']);
  assert.deepEqual(rig.outlook.alerts.length, 2);
  for (let i = 0; i < 20; i++) await rig.pass(100, 0, 20);
  assert.deepEqual(rig.changes().slice(2).sort(), ['errors cleared', 'p99 cleared']);
});

test('a server that is down is told with its reason, one that comes back is told too', async () => {
  const rig = new Rig();
  rig.outlook.use({ alerts, scaling: null });
  await rig.pass(0);
  rig.isDown = true;
  for (let i = 0; i < 5; i++) await rig.pass(0);
  assert.deepEqual(rig.changes(), ['server-down raised a:1']);
  assert.equal(rig.told[0]?.['says'], 'down: probe: connect refused');
  rig.isDown = false;
  for (let i = 0; i < 5; i++) await rig.pass(0);
  assert.deepEqual(rig.changes(), ['server-down raised a:1', 'server-down cleared a:1']);
});

test('nothing is told where nobody is to be told', async () => {
  const rig = new Rig();
  rig.isDown = true;
  rig.usableRate = 10;
  for (let i = 0; i < 12; i++) await rig.pass(1_000, 1_000);
  assert.deepEqual([rig.told, rig.ran], [[], []]);
});

test('servers wanted are told when they change, not more often than wished, and stand in the metrics', async () => {
  const rig = new Rig();
  rig.usableRate = 50;
  rig.outlook.use({ alerts, scaling });
  // 80/s at 50/s each are two servers, and one that may be lost.
  for (let i = 0; i < 7; i++) await rig.pass(800);
  assert.deepEqual(rig.changes(), ['wanted 3']);
  assert.deepEqual(rig.ran[0]?.environment, {
    EVENKEEL_POOL: 'web',
    EVENKEEL_SERVERS_WANTED: '3',
    EVENKEEL_SERVERS_UP: '2',
    EVENKEEL_HEADROOM: '0.200',
  });
  // It rises to 180/s within a minute: told at most once a minute, the last of it too.
  for (let i = 0; i < 20; i++) await rig.pass(1_800);
  const wanted = rig.changes().filter((change) => change.startsWith('wanted'));
  assert.ok(wanted.length >= 2 && wanted.length <= 4, wanted.join());
  assert.equal(wanted.at(-1), 'wanted 5');
  // 180/s of 100/s that two servers shall be given.
  assert.ok(rig.changes().includes('headroom raised'));
  const out = new Exposition('prometheus');
  outlookMetrics(out, rig.outlook);
  assert.match(out.text(), /evenkeel_pool_headroom_ratio\{pool="web"\} -0\.8\n/);
  assert.match(out.text(), /evenkeel_pool_servers_wanted\{pool="web"\} 5\n/);
  assert.match(out.text(), /evenkeel_alert\{rule="headroom",pool="web",server=""\} 1\n/);
});
