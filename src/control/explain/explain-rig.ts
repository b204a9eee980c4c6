import assert from 'node:assert/strict';
import { allocateShared, attachWords, type SharedWords } from '../../model/shared-memory.ts';
import type { DialAddress, Snapshot } from '../../model/snapshot.ts';
import { configFromPlain } from '../config/load.ts';
import { toSnapshot } from '../config/to-snapshot.ts';
import { type ExplainMeans, explain } from './explain.ts';
import type { ExplainRequest, Explanation } from './explanation.ts';

const target: DialAddress = { kind: 'ip', host: '127.0.0.1', port: 1 };

/** A snapshot of a configuration; slots count from 0. For tests. */
export function snapshotOf(plain: Readonly<Record<string, unknown>>): Snapshot {
  const loaded = configFromPlain('x', plain, () => ({ line: 1, column: 1 }));
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const counter = (): (() => number) => {
    let slots = 0;
    return () => slots++;
  };
  const slot = counter();
  const assign = { listener: slot, route: slot, pool: counter(), server: counter() };
  return toSnapshot(loaded.config, assign, () => target, 1);
}

/** Shared memory in which nothing has happened. For tests. */
export function idleWords(): SharedWords {
  return attachWords(allocateShared(1, { counterCount: 1, histogramWords: 1 }));
}

/** What explanations are made of in tests: nothing has happened, and chance gives the middle. */
export function plainMeans(snapshot: Snapshot, words: SharedWords): ExplainMeans {
  return {
    snapshot,
    geography: null,
    words,
    reportOf: () => null,
    random: () => 0.5,
    latencyClock: () => 0,
    wallClock: () => 1_000_000,
    portOf: (listener) => ({ web: 8080, inner: 8081 })[listener] ?? null,
  };
}

/** A plain GET with whatever differs. For tests. */
export const plainRequest: ExplainRequest = {
  method: 'GET',
  url: '/',
  headers: [],
  ip: null,
  listener: null,
  protocol: 'http/1.1',
};

/** The explanation of a request that can be explained. For tests. */
export function explained(
  url: string,
  means: ExplainMeans,
  more: Partial<ExplainRequest> = {},
): Explanation {
  const outcome = explain({ ...plainRequest, url, ...more }, means);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.explanation;
}
