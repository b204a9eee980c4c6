import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { SeriesAnswer } from '../../src/control/history/answer.ts';
import { fetchOnce } from './client.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** What history tells; throws while it does not. */
async function history(balancer: Balancer, query: string): Promise<SeriesAnswer> {
  const answer = await balancer.admin('GET', `/v1/history?${query}`);
  if (answer.status !== 200) throw new Error(answer.body);
  return JSON.parse(answer.body) as SeriesAnswer;
}

/** Requests that the points of all series of a query count together. */
async function requestsIn(balancer: Balancer, query: string): Promise<number> {
  const { series, figures } = await history(balancer, query);
  const column = 2 + figures.indexOf('requests');
  return series
    .flatMap(({ points }) => points)
    .reduce((sum, point) => sum + (point[column] ?? 0), 0);
}

describe('history', () => {
  it('adds up to the traffic and outlives kill -9 and a restart', async (test) => {
    const origins = await startOrigins(test, 2);
    const port = await freePort();
    const config = {
      listeners: [`127.0.0.1:${port}`],
      pools: { web: origins.map(({ address }) => address) },
      workers: 1,
      log: { access: 'off' },
    };
    const balancer = await startBalancer(test, config);
    // The first reading is the zero of all others.
    await until('a point', 15_000, async () => {
      const { series } = await history(balancer, 'kind=pool');
      return (series[0]?.points.length ?? 0) > 0;
    });
    for (let i = 0; i < 30; i++) assert.equal((await fetchOnce(port, '/')).status, 200);
    // Nobody asks, since an answer has all written before; turns, since a stopped machine takes none: some nine seconds.
    for (let turn = 0; turn < 450; turn++) await pause(20);
    const victim = (await balancer.status()).pids.balancer;
    process.kill(victim, 'SIGKILL');
    await until('the points before the crash', 15_000, async () => {
      return (await requestsIn(balancer, 'kind=pool&pool=web')) === 30;
    });
    for (const kind of ['server', 'route']) {
      assert.equal(await requestsIn(balancer, `kind=${kind}`), 30, kind);
    }
    // The coarse rows were made of the fine ones.
    assert.equal(await requestsIn(balancer, 'kind=pool&step=10s'), 30);
    // What comes before the first reading of the new process is in its zero (decision 0074).
    const backMs = Date.now();
    await until('a reading of the new process', 15_000, async () => {
      const { series } = await history(balancer, 'kind=pool');
      return series.some(({ points }) => points.some(([atMs = 0]) => atMs > backMs));
    });
    for (let i = 0; i < 12; i++) assert.equal((await fetchOnce(port, '/')).status, 200);
    await until('the points after it', 15_000, async () => {
      return (await requestsIn(balancer, 'kind=pool')) === 42;
    });

    balancer.child.kill('SIGTERM');
    await balancer.exited;
    const anew = await startBalancer(test, config, { directory: balancer.directory });
    await until('the points before the restart', 15_000, async () => {
      return (await requestsIn(anew, 'kind=pool&from=-1d')) === 42;
    });
    assert.equal(await requestsIn(anew, 'kind=pool&from=-1h&step=5m'), 42);
  });

  it('is off where the configuration says so, and begins with a reload', async (test) => {
    const origins = await startOrigins(test, 1);
    const port = await freePort();
    const config = {
      listeners: [`127.0.0.1:${port}`],
      pools: { web: origins.map(({ address }) => address) },
      workers: 1,
    };
    const balancer = await startBalancer(test, { ...config, history: false });
    const answer = await until('the admin answers', 15_000, () =>
      balancer.admin('GET', '/v1/history'),
    );
    assert.equal(answer.status, 503);
    assert.match(answer.body, /history. is off in the configuration/);
    assert.equal((await balancer.reload(config)).status, 200);
    await until('a point', 15_000, async () => {
      return (await history(balancer, 'kind=server')).series.length === 1;
    });
  });

  it('says what is wrong with a question, and puts a broken file aside', async (test) => {
    const origins = await startOrigins(test, 1);
    const port = await freePort();
    const config = {
      listeners: [`127.0.0.1:${port}`],
      pools: { web: origins.map(({ address }) => address) },
      workers: 1,
    };
    const balancer = await startBalancer(test, config);
    const wrong: [string, RegExp][] = [
      ['kind=pol', /kind must be one of route, pool, server: current value is 'pol'/],
      ['from=yesterday', /from must be a time such as/],
      ['from=now&to=-1h', /from must be a time before `to`/],
      ['stepp=1s', /query must be made of kind, pool, name, from, to, step/],
    ];
    for (const [query, says] of wrong) {
      const answer = await balancer.admin('GET', `/v1/history?${query}`);
      assert.equal(answer.status, 422, query);
      assert.match(JSON.parse(answer.body).error.message, says);
    }
    await until('a file', 15_000, async () => (await history(balancer, '')).series.length > 0);
    balancer.child.kill('SIGTERM');
    await balancer.exited;
    const state = `${balancer.directory}/evenkeel`;
    const [file] = readdirSync(state).filter((name) => name.endsWith('.db'));
    writeFileSync(`${state}/${file}`, 'x'.repeat(20_000));
    const anew = await startBalancer(test, config, { directory: balancer.directory });
    await until('history anew', 15_000, async () => (await history(anew, '')).series.length > 0);
    assert.ok(readdirSync(state).includes(`${file}.broken`));
  });
});
