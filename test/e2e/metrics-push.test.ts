import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fetchOnce } from './client.ts';
import { drivers } from './drivers.ts';
import { startBalancer } from './harness.ts';
import { startOrigins } from './origins.ts';
import { attributesOf, type OtlpAttribute, startOtlpReceiver } from './otlp-receiver.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

interface Point {
  readonly attributes: readonly OtlpAttribute[];
  readonly asDouble?: number;
  readonly count?: number | string;
  readonly bucketCounts?: readonly (number | string)[];
  readonly explicitBounds?: readonly number[];
}

/** A metric as OTLP/HTTP in JSON carries it (opentelemetry/proto/metrics/v1/metrics.proto). */
interface Metric {
  readonly name: string;
  readonly sum?: {
    readonly isMonotonic: boolean;
    readonly aggregationTemporality: number;
    readonly dataPoints: readonly Point[];
  };
  readonly gauge?: { readonly dataPoints: readonly Point[] };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}

function metricsOf(body: unknown): Map<string, Metric> {
  const { resourceMetrics } = body as {
    resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[];
  };
  const all = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((s) => s.metrics));
  return new Map(all.map((metric) => [metric.name, metric]));
}

for (const { name: driver, skip } of await drivers()) {
  describe(`pushed metrics, ${driver}`, { skip }, () => {
    it('are those of /metrics, in an OTLP receiver', async (test) => {
      const receiver = await startOtlpReceiver(test);
      const [origin] = await startOrigins(test, 1);
      const port = await freePort();
      const balancer = await startBalancer(
        test,
        {
          listeners: [`127.0.0.1:${port}`],
          pools: { web: [origin?.address] },
          workers: 1,
          log: 'off',
          metrics: { otlp: `${receiver.url}/`, interval: '1s', headers: { 'X-Key': 'secret' } },
        },
        { driver },
      );
      for (let i = 0; i < 7; i++) assert.equal((await fetchOnce(port, '/')).status, 200);
      const pushed = await until('a push with all requests', 60_000, () => {
        const post = receiver.posts.findLast(({ path }) => path === '/v1/metrics');
        if (post === undefined) return null;
        const [point] =
          metricsOf(post.body).get('evenkeel_pool_requests_total')?.sum?.dataPoints ?? [];
        return point?.asDouble === 7 ? post : null;
      });
      assert.equal(pushed.headers['x-key'], 'secret');
      const metrics = metricsOf(pushed.body);
      const { sum } = metrics.get('evenkeel_pool_requests_total') ?? {};
      assert.deepEqual([sum?.isMonotonic, sum?.aggregationTemporality], [true, 2]);
      assert.deepEqual(attributesOf(sum?.dataPoints[0] ?? { attributes: [] }), { pool: 'web' });
      assert.equal(metrics.get('evenkeel_draining')?.gauge?.dataPoints[0]?.asDouble, 0);
      const [histogram] =
        metrics.get('evenkeel_route_duration_seconds')?.histogram?.dataPoints ?? [];
      assert.equal(Number(histogram?.count), 7);
      const counts = (histogram?.bucketCounts ?? []).map(Number);
      assert.equal(counts.length, (histogram?.explicitBounds?.length ?? 0) + 1);
      assert.equal(
        counts.reduce((total, count) => total + count, 0),
        7,
      );
      const scraped = (await balancer.admin('GET', '/metrics')).body;
      const names = [...scraped.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
      await until('a push with all that is scraped', 60_000, () => {
        const last = receiver.posts.findLast(({ path }) => path === '/v1/metrics');
        const known = metricsOf(last?.body);
        return names.every((name) => known.has(name ?? ''));
      });
    });
  });
}
