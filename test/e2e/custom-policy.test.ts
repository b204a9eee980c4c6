import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { fetchOnce } from './client.ts';
import { startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { field } from './response-reader.ts';
import { until } from './waiting.ts';

/** Takes candidate number `index`, typed as a user would. */
const moduleOf = (index: number): string => `
import type { CustomPolicy } from 'evenkeel';
const policy: CustomPolicy = {
  build: (candidates) => ({ pick: () => candidates[${index}]?.slot ?? -1 }),
};
export { policy as default };
`;

it('a policy of one’s own chooses, is loaded anew when its file changes, and is refused when broken', async (test) => {
  const origins = await startOrigins(test, 2);
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-policy-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const module = join(folder, 'mine.ts');
  writeFileSync(module, moduleOf(1));
  const port = await freePort();
  const balancer = await startBalancer(test, {
    listeners: [`127.0.0.1:${port}`],
    log: { access: 'off' },
    workers: 2,
    pools: { web: { servers: origins.map(({ address }) => address), policy: { module } } },
  });
  const names = async (): Promise<string[]> => {
    const found: string[] = [];
    for (let index = 0; index < 8; index++) {
      found.push(field(await fetchOnce(port, '/'), 'x-server') ?? 'none');
    }
    return found;
  };
  assert.deepEqual(new Set(await names()), new Set(['b']));
  writeFileSync(module, moduleOf(0));
  assert.equal((await balancer.admin('POST', '/v1/reload')).status, 200);
  await until('the new policy chooses', 5_000, async () =>
    (await names()).every((name) => name === 'a'),
  );
  writeFileSync(module, 'export default { pick: 1 };');
  const refused = await balancer.admin('POST', '/v1/reload');
  assert.notEqual(refused.status, 200);
  assert.match(
    refused.body,
    /pools\.web\.policy\.module: must be a module .*without a function build/,
  );
  assert.deepEqual(new Set(await names()), new Set(['a']));
});
