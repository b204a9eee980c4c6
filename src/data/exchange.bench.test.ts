import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchExchange } from './exchange.bench.ts';

test('benchExchange() plays each kind of exchange', () => {
  for (const name of ['plain', 'realistic', 'one-route', 'thousand-routes'] as const) {
    const nsPerExchange = benchExchange(name, 50);
    assert.ok(nsPerExchange > 0 && Number.isFinite(nsPerExchange), name);
  }
});
