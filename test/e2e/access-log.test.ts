import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fetchOnce } from './client.ts';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** The paths of the lines of a log; throws at a line that is not whole. */
function pathsIn(file: string): string[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { path: string }).path);
}

for (const { name: driver, skip } of await drivers()) {
  describe(`the access log, ${driver}`, { skip }, () => {
    it('loses no line when its file is renamed, with a reopen and without one', async (test) => {
      const origins = await startOrigins(test, 1);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: origins.map(({ address }) => address) },
          workers: 2,
          log: { access: './access.log' },
        },
        { driver },
      );
      const log = join(balancer.directory, 'access.log');
      const files = ['rotated.1', 'rotated.2'].map((name) => join(balancer.directory, name));
      const asked: string[] = [];
      const ask = async (): Promise<void> => {
        const path = `/line-${asked.length}`;
        asked.push(path);
        assert.equal((await fetchOnce(port, path)).status, 200);
      };
      for (let i = 0; i < 40; i++) await ask();
      await until('the first lines', 5_000, () => pathsIn(log).length > 0);
      renameSync(log, files[0] as string);
      for (let i = 0; i < 40; i++) await ask();
      assert.equal((await balancer.admin('POST', '/v1/reopen')).status, 200);
      for (let i = 0; i < 40; i++) await ask();
      await until('lines in the reopened file', 5_000, () => pathsIn(log).length >= 40);
      renameSync(log, files[1] as string);
      // Nobody says anything: the rename is seen.
      await until('a new file', 20_000, async () => {
        await ask();
        return existsSync(log);
      });
      for (let i = 0; i < 20; i++) await ask();
      const all = (): string[] => [...files, log].flatMap(pathsIn);
      await until('all lines', 5_000, () => all().length >= asked.length);
      assert.deepEqual(all().sort(), [...asked].sort());
    });
  });
}
