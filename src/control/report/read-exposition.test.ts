import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, histogramBuckets } from '../../base/histogram.ts';
import type { MetricFamily } from '../../model/metric-family.ts';
import { Exposition, labelText } from './exposition.ts';
import { readExposition } from './read-exposition.ts';

function read(text: string): MetricFamily[] {
  const steps = readExposition(text);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

test('readExposition() gives back what was written', () => {
  const out = new Exposition('prometheus');
  out.counter('a_total', 'A "count"\\.').add(3);
  out.gauge('b', 'Two\nlines.').add(0.5, labelText({ server: 'x"y\\z', pool: 'a,b="c"' }));
  const cells = new Float64Array(histogramBuckets);
  // 2 ms lies in (0.001, 0.0025], 20 s above the last bound
  cells[bucketOf(2_000)] = 4;
  cells[bucketOf(20_000_000)] = 1;
  out.histogram('c_seconds', 'C.').addHistogram(cells, labelText({ route: 'r' }));
  const [a, b, c] = read(out.text());
  assert.deepEqual(a, {
    name: 'a_total',
    help: 'A "count"\\.',
    type: 'counter',
    samples: [{ labels: {}, value: 3 }],
    histograms: [],
  });
  assert.equal(b?.help, 'Two\nlines.');
  assert.deepEqual(b?.samples, [{ labels: { server: 'x"y\\z', pool: 'a,b="c"' }, value: 0.5 }]);
  const [histogram] = c?.histograms ?? [];
  assert.ok(histogram);
  assert.deepEqual(histogram.labels, { route: 'r' });
  assert.equal(histogram.count, 5);
  assert.ok(histogram.sum > 19.5 && histogram.sum < 20.5);
  assert.equal(histogram.counts.length, histogram.bounds.length + 1);
  assert.equal(histogram.counts[histogram.bounds.indexOf(0.0025)], 4);
  assert.equal(histogram.counts.at(-1), 1);
});
