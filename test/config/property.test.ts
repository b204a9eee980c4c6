import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseServerAddress } from '../../src/control/config/address.ts';
import { configFromPlain, loadConfig } from '../../src/control/config/load.ts';
import { formatProblem } from '../../src/control/config/problem.ts';

const seed = 20_261_121;
const full = readFileSync(new URL('./valid-full.yaml', import.meta.url), 'utf8');

test(`loadConfig() answers any damage with placed problems, never a throw (seed ${seed})`, async () => {
  const damage = fc.record({
    at: fc.nat(full.length),
    drop: fc.nat(12),
    add: fc.oneof(fc.constantFrom('{', '}', '[', ']', ':', '"', '\t', '\n', '&a', '*a', '!!x', '- ', '%'), fc.string()),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
      let text = full;
      for (const { at, drop, add } of damages) text = text.slice(0, at) + add + text.slice(at + drop);
      const result = await loadConfig({ kind: 'text', name: 'x.yaml', text });
      if (result.ok) return;
      assert.ok(result.problems.length > 0);
      for (const problem of result.problems) {
        assert.ok(problem.line >= 1 && problem.column >= 1);
        assert.doesNotMatch(formatProblem(problem), /\n|undefined|\[object/);
      }
    }),
    { seed, numRuns: 150 },
  );
});

test(`configFromPlain() answers any plain data (seed ${seed})`, () => {
  const place = (): { line: number; column: number } => ({ line: 1, column: 1 });
  const keys = fc.constantFrom('listeners', 'routes', 'pools', 'address', 'match', 'servers', '__proto__', 'x');
  const value = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(keys, fc.string()), tie('tree'), { maxKeys: 4 }),
    ),
  })).tree;
  fc.assert(
    fc.property(value, (plain) => {
      const result = configFromPlain('x', plain, place);
      assert.ok(result.ok || result.problems.length > 0);
    }),
    { seed, numRuns: 300 },
  );
});

test(`parseServerAddress() writes IPv6 so that it reads it the same again (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      const first = parseServerAddress(`[${host}]:${port}`);
      assert.ok(first?.kind === 'ip', host);
      assert.deepEqual(parseServerAddress(`[${first.host}]:${port}`), first);
      // The platform's own reader agrees on which address it is.
      assert.equal(new URL(`http://[${first.host}]/`).host, new URL(`http://[${host}]/`).host);
    }),
    { seed, numRuns: 300 },
  );
});
