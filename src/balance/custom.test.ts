import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportSuspicions } from '../base/invariant.ts';
import { type CustomPolicy, customPolicy } from './custom.ts';
import { benchOf, candidatesOf, conformance, requestOf } from './policy.conformance.ts';
import { ALL_BUSY, NONE } from './policy.ts';
import { isUsable, whyNone } from './usable.ts';

/** The last usable one: as simple as a policy can be. */
const last: CustomPolicy = {
  build: (candidates, means) => {
    const load = { of: means.load, pendingOf: means.pending };
    return {
      pick: (request) => {
        const usable = candidates.filter((candidate) => isUsable(candidate, request, load));
        return usable.at(-1)?.slot ?? whyNone(candidates, request);
      },
    };
  },
};

conformance(customPolicy(last));

/** What was reported while a policy picked three times, and the picks. */
function faultsOf(custom: CustomPolicy, tried: readonly number[] = []) {
  const reports: string[] = [];
  reportSuspicions((what) => reports.push(what));
  const bench = benchOf(customPolicy(custom), candidatesOf([1, 1]));
  const picks = [0, 1, 2].map((client) => bench.picker.pick(requestOf(client, tried)));
  reportSuspicions(() => {});
  return { reports, picks };
}

const failing = (): never => {
  throw new Error('no idea');
};

for (const [what, custom, pattern] of [
  ['throws in build', { build: failing }, /threw in build: Error: no idea/],
  ['throws in pick', { build: () => ({ pick: failing }) }, /threw in pick: Error: no idea/],
  ['picks a strange slot', { build: () => ({ pick: () => 99 }) }, /picked slot 99/],
  ['picks nothing sensible', { build: () => ({ pick: () => Number.NaN }) }, /picked slot NaN/],
  ['picks a tried slot', { build: () => ({ pick: () => 10 }) }, /picked slot 10/],
] as const) {
  test(`customPolicy(): p2c stands in for a policy that ${what}, reported once`, () => {
    const { reports, picks } = faultsOf(custom, [10]);
    assert.deepEqual(picks, [11, 11, 11]);
    assert.equal(reports.length, 1);
    assert.match(reports[0]!, pattern);
  });
}

test('customPolicy() passes on what a policy says of an empty or busy pool', () => {
  for (const word of [NONE, ALL_BUSY]) {
    const { reports, picks } = faultsOf({ build: () => ({ pick: () => word }) });
    assert.deepEqual([reports, picks], [[], [word, word, word]]);
  }
});
