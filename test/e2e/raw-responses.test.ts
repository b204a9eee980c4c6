import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { drivers } from './drivers.ts';
import { judge, observe, type RawTarget, startRawTarget } from './raw-vectors.ts';
import { responseCases } from './vectors/responses.ts';

/** Answers above this are sent whole only. */
const BYTEWISE_MAX = 1_200;

// EVENKEEL_RAW_TARGET=nginx runs the tables against nginx: a check of the runner and of the tables.
const wanted = process.env['EVENKEEL_RAW_TARGET'];
const kinds = wanted === 'nginx' ? [{ name: 'nginx', skip: false } as const] : await drivers();

for (const { name: kind, skip } of kinds) {
  describe(`raw responses, ${kind}`, { skip }, () => {
    let target: RawTarget;
    const cleanups: (() => unknown)[] = [];
    before(async () => {
      target = await startRawTarget(
        { after: (run) => void cleanups.push(run as () => unknown) },
        kind,
      );
    });
    after(async () => {
      for (const run of cleanups) await run();
    });
    for (const one of responseCases) {
      it(`${one.id}: ${one.source}`, async () => {
        assert.equal(judge(one, await observe(target, one, false)), null);
        if ((one.script?.onRequest ?? '').length > BYTEWISE_MAX) return;
        const inBytes = { ...one, script: { ...one.script, inBytes: true } };
        assert.equal(judge(one, await observe(target, inBytes, false)), null, 'in single bytes');
      });
    }
  });
}
