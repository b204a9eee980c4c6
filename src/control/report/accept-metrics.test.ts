import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expositionFormat } from './accept-metrics.ts';

test('expositionFormat() takes OpenMetrics where it is named and liked as much as plain text', () => {
  // What Prometheus 2.42 and 2.55 send, curl, and scrapers that want one thing only.
  for (const [accept, format] of [
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
      'openmetrics',
    ],
    ['text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.4', 'prometheus'],
    ['application/openmetrics-text; version=0.0.1', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['application/openmetrics-text;q=x', 'prometheus'],
    ['*/*', 'prometheus'],
    ['', 'prometheus'],
    [null, 'prometheus'],
  ] as const) {
    assert.equal(expositionFormat(accept), format, String(accept));
  }
});
