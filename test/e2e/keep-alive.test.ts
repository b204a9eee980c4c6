import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drivers } from './drivers.ts';
import { trickle } from './trickle.ts';

for (const { name: driver, skip } of await drivers()) {
  describe(`the keep-alive race, ${driver}`, { skip }, () => {
    it('servers that close idle links after 1 s lose no request, and the log names the cause', async (test) => {
      const servers = [
        { keepAliveMs: 1_000, isSaid: true },
        { keepAliveMs: 1_000, isSaid: false },
      ];
      const options = { servers, driver, durationMs: 8_000, clients: 16 };
      const { byStatus, balancer } = await trickle(test, options);
      test.diagnostic(JSON.stringify(byStatus));
      assert.deepEqual(Object.keys(byStatus).sort(), ['GET 200', 'POST 200']);
      const lines = balancer.output.split('\n').filter((line) => line.includes('idle links after'));
      assert.match(
        lines.join('\n'),
        /says that it closes idle links after 1 s; keeping them 0\.5 s/,
      );
      assert.match(
        lines.join('\n'),
        /server [\d.:]+ closes idle links after 1(\.\d)? s; keeping them 0\.[5-9] s/,
      );
      // once each; once more at most, where a busy machine had first seen them late
      assert.ok(lines.length <= 3, lines.join('\n'));
    });
  });
}
