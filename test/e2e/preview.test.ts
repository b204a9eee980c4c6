import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { Client } from './client.ts';
import { runCommand, startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

it('check --diff and reload --diff tell what would be touched, and change nothing', async (test) => {
  const origins = await startOrigins(test, 2);
  const port = await freePort();
  const config = (count: number, more: Record<string, unknown> = {}): unknown => ({
    listeners: [`127.0.0.1:${port}`],
    pools: {
      web: { policy: 'first', servers: origins.slice(-count).map(({ address }) => address) },
    },
    workers: 1,
    log: { access: 'off' },
    ...more,
  });
  const balancer = await startBalancer(test, config(2));
  const client = await new Client({ port, timeoutMs: 20_000 }).open();
  test.after(() => client.destroy());
  client.send('GET /stream?ms=15000&parts=10 HTTP/1.1\r\nHost: lb.test\r\n\r\n');
  await until('it runs', 5_000, async () => {
    return (await balancer.status()).pools[0]!.servers[0]!.inFlight === 1;
  });
  const { version } = (await balancer.status()).configuration;

  const other = join(balancer.directory, 'new.yaml');
  writeFileSync(other, JSON.stringify(config(1, { timeouts: { drain: '5s' } })));
  const socket = ['--socket', balancer.socketPath];
  const checked = await runCommand(['check', '-c', other, '--diff', ...socket]);
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /new\.yaml: good/);
  assert.match(
    checked.stdout,
    /- web\/127\.0\.0\.1:\d+ \(1 running\): what runs is finished, at the latest after 5 s\n/,
  );
  assert.match(checked.stdout, /timeouts\.drainMs: 30000 → 5000/);
  assert.match(checked.stdout, /touched now: 0 client links, 1 exchanges and tunnels\n$/);

  // The file in use is watched, so that what it says is in force before a command could ask.
  const previewed = await runCommand(['reload', '--diff', ...socket]);
  assert.deepEqual([previewed.code, previewed.stdout], [0, 'nothing would change\n']);
  const asJson = await runCommand(['check', '-c', other, '--diff', '--json', ...socket]);
  const { impact } = JSON.parse(asJson.stdout) as {
    impact: { touched: unknown; changes: { name: string }[] };
  };
  assert.deepEqual(impact.touched, { links: 0, exchanges: 1 });
  assert.deepEqual(
    impact.changes.map(({ name }) => name),
    [`web/${origins[0]!.address}`, 'timeouts'],
  );

  balancer.writeConfig('listeners: [');
  const refused = await runCommand(['reload', '--diff', ...socket]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /evenkeel\.yaml:1:/);
  assert.equal((await balancer.status()).configuration.version, version);
});
