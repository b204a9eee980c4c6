import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { drivers } from './drivers.ts';
import { judge, observe, type RawTarget, startRawTarget } from './raw-vectors.ts';
import { chunkCases } from './vectors/chunks.ts';
import { fieldCases } from './vectors/fields.ts';
import { forwardingCases } from './vectors/forwarding.ts';
import { framingCases } from './vectors/framing.ts';
import { linkCases } from './vectors/links.ts';
import { targetCases } from './vectors/targets.ts';

const tables = {
  framing: framingCases,
  chunks: chunkCases,
  fields: fieldCases,
  targets: targetCases,
  forwarding: forwardingCases,
  links: linkCases,
};

/** Cases above this are sent whole only: one byte per segment adds nothing there. */
const BYTEWISE_MAX = 1_200;

// EVENKEEL_RAW_TARGET=nginx runs the tables against nginx: a check of the runner and of the tables.
const wanted = process.env['EVENKEEL_RAW_TARGET'];
const kinds = wanted === 'nginx' ? [{ name: 'nginx', skip: false } as const] : await drivers();

for (const { name: kind, skip } of kinds) {
  describe(`raw requests, ${kind}`, { skip }, () => {
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
    for (const [name, cases] of Object.entries(tables)) {
      describe(name, () => {
        for (const one of cases) {
          it(`${one.id}: ${one.source}`, async () => {
            assert.equal(judge(one, await observe(target, one, false)), null);
            if (one.bytes.length > BYTEWISE_MAX) return;
            assert.equal(
              judge(one, await observe(target, one, true)),
              null,
              'one byte per segment',
            );
          });
        }
      });
    }
  });
}
