import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { StatusReport } from '../../src/control/report/status.ts';
import { runCommand, startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';

it('evenkeel status answers right after a kill -9 of the balancer, with all pids and the driver', async (test) => {
  const origins = await startOrigins(test, 1);
  const config = {
    listeners: ['127.0.0.1:0'],
    pools: { web: origins.map(({ address }) => address) },
    workers: 1,
    log: { access: 'off' },
  };
  const balancer = await startBalancer(test, config);
  const environment = { XDG_RUNTIME_DIR: balancer.directory };
  const ask = async (...words: string[]): Promise<StatusReport> => {
    const { code, stdout, stderr } = await runCommand(['status', '--json', ...words], {
      cwd: balancer.directory,
      environment,
    });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as StatusReport;
  };
  let before = await ask();
  assert.equal(before.pids.supervisor, balancer.child.pid);
  for (const words of [[], ['--socket', balancer.socketPath], ['-c', balancer.configFile]]) {
    process.kill(before.pids.balancer, 'SIGKILL');
    const after = await ask(...words);
    assert.equal(after.pids.supervisor, before.pids.supervisor);
    assert.notEqual(after.pids.balancer, before.pids.balancer);
    assert.match(after.driver.name, /^(uring|portable)$/);
    assert.ok(after.driver.reason.length > 0);
    before = after;
  }
});
