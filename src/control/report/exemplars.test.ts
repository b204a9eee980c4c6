import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exemplars } from './exemplars.ts';

test('Exemplars keeps the last slow request of each bucket for a minute', () => {
  const exemplars = new Exemplars();
  const request = (us: number, id: string, atMs: number) => ({
    route: 3,
    us,
    request: id,
    trace: null,
    atMs,
  });
  exemplars.take([request(310_000, 'a', 1_000)]);
  // The same bucket, 0.25 s to 0.5 s; and another one.
  exemplars.take([request(400_000, 'b', 2_000), request(700_000, 'c', 50_000)]);
  const ids = (nowMs: number) => exemplars.of(3, nowMs).map(({ labels }) => labels['request_id']);
  assert.deepEqual(ids(55_000), ['b', 'c']);
  assert.deepEqual(ids(62_001), ['c']);
  assert.deepEqual(exemplars.of(4, 55_000), []);
  exemplars.take([{ ...request(1_000, 'd', 60_000), trace: '0af7651916cd43dd8448eb211c80319c' }]);
  assert.deepEqual(exemplars.of(3, 62_001)[1], {
    labels: { request_id: 'd', trace_id: '0af7651916cd43dd8448eb211c80319c' },
    seconds: 0.001,
    atSeconds: 60,
  });
});
