import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { fetchOnce } from './client.ts';
import { runCommand, startBalancer, untilServersAre } from './harness.ts';
import { startOrigin } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

describe('alerts', () => {
  it('a server that is down is told to the webhook, and that it is back', async (test) => {
    const told: Record<string, unknown>[] = [];
    const hook = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      request.on('end', () => {
        told.push(JSON.parse(text) as Record<string, unknown>);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    test.after(() => hook.close());
    const webhook = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/told`;
    const origin = await startOrigin(test, { name: 'a' });
    const { port: originPort } = origin;
    const port = await freePort();
    const balancer = await startBalancer(test, {
      listeners: [`127.0.0.1:${port}`],
      pools: {
        web: {
          servers: [origin.address],
          probe: { type: 'tcp', interval: '100ms', timeout: '1s', rise: 1, fall: 1 },
        },
      },
      workers: 1,
      history: false,
      alerts: { webhook, serverDown: '1s' },
    });
    await untilServersAre(balancer, 'up', 1);
    await origin.kill();
    const raised = await until('the webhook is told', 30_000, () => told[0]);
    const { type, rule, state, pool, server, says } = raised;
    assert.deepEqual([type, rule, state, pool], ['alert', 'server-down', 'raised', 'web']);
    assert.equal(server, origin.address);
    assert.match(String(says), /probe|refus/);
    const labels = `rule="server-down",pool="web",server="${origin.address}"`;
    assert.equal((await balancer.metrics()).get(`evenkeel_alert{${labels}}`), 1);
    await startOrigin(test, { name: 'a', port: originPort });
    await until('the webhook is told again', 30_000, () =>
      told.some((each) => each['state'] === 'cleared' && each['rule'] === 'server-down'),
    );
    const shown = await balancer.admin('GET', '/v1/config');
    assert.doesNotMatch(shown.body, /told/);
  });
});

describe('report and plan', () => {
  it('tell of traffic just now, and that little of it tells nothing of the future', async (test) => {
    const origin = await startOrigin(test, { name: 'a' });
    const port = await freePort();
    const balancer = await startBalancer(test, {
      listeners: [`127.0.0.1:${port}`],
      pools: { web: [origin.address] },
      workers: 1,
    });
    const socket = ['--socket', balancer.socketPath];
    const json = async (...words: string[]): Promise<Record<string, unknown>[]> => {
      const { code, stdout, stderr } = await runCommand([...words, ...socket, '--json']);
      assert.equal(code, 0, stderr);
      return (JSON.parse(stdout) as { pools: Record<string, unknown>[] }).pools;
    };
    await until('a first reading', 30_000, async () => {
      const answer = await balancer.admin('GET', '/v1/history?kind=pool');
      return answer.status === 200 && answer.body.includes('"web"');
    });
    for (let i = 0; i < 25; i++) assert.equal((await fetchOnce(port, '/')).status, 200);
    const report = await until('ten seconds are over', 60_000, async () => {
      const [pool] = await json('report', '--from', '1h');
      return pool?.['requests'] === 25 ? pool : null;
    });
    assert.equal(report['errors'], 0);
    assert.equal(report['budgetUsed'], 0);
    const [plan] = await json('plan', '--until', '2099-01');
    assert.match(JSON.stringify(plan?.['forecast']), /^\{"isKnown":false/);
    assert.equal(plan?.['wanted'], null);
    const text = await runCommand(['plan', '--growth', '2x', ...socket]);
    assert.match(
      text.stdout,
      /^ {2}forecast +cannot forecast: two weeks of whole days are required/m,
    );
    const page = await runCommand(['report', '--html', ...socket]);
    assert.match(page.stdout, /^<!doctype html>/);
    const wrong = await runCommand(['plan', '--growth', 'much', ...socket]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /growth must be a factor from 0\.1x to 100x/);
  });
});
