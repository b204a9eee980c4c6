import { performance } from 'node:perf_hooks';
import { mix32 } from '../base/hash.ts';
import { createRandom } from '../base/prng.ts';
import { LatencyBook } from './latency-book.ts';
import { MaglevShelf } from './maglev-shelf.ts';
import { policies } from './policies.ts';
import { candidatesOf } from './policy.conformance.ts';
import type { PickRequest } from './policy.ts';

/** What a pick and a rebuild cost. */
export interface PickFigures {
  /** Ns per pick, the best of sixty rounds: short ones, so that some are not interrupted. */
  readonly pickNs: number;
  /** Ms to build a picker over all servers, the best of three; `hash` keeps its table. */
  readonly rebuildMs: number;
  /** The very first one, the table of `hash` included. */
  readonly firstMs: number;
}

/** Policies whose picks must not grow with the number of servers. */
export const constantTime = ['p2c', 'round-robin', 'least-latency', 'hash', 'random'] as const;

/**
 * Measures one policy on shared memory as a worker has it, every server with 20 to 23 in flight. `isWeighted`:
 * weights from 1 to 100.
 */
export function benchPicks(
  name: (typeof constantTime)[number],
  options: { readonly servers: number; readonly isWeighted: boolean; readonly picks: number },
): PickFigures {
  const { servers, isWeighted, picks } = options;
  const random = createRandom(7);
  const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(4 * (servers + 16)));
  const [inFlight, latencyUs, latencyAt, cursor] = [shared(), shared(), shared(), shared()];
  for (let slot = 10; slot < servers + 10; slot++) inFlight[slot] = 20 + (slot % 4);
  const clock = { nowMs: 1_000 };
  const latency = new LatencyBook({ latencyUs, latencyAt }, () => clock.nowMs);
  for (let slot = 10; slot < servers + 10; slot++) latency.observe(slot, 500 + random() * 5_000);
  clock.nowMs += 700;
  const weights = Array.from({ length: servers }, (_, at) => (isWeighted ? 1 + (at % 100) : 1));
  const candidates = candidatesOf(weights).map((one, at) => ({ ...one, key: `s${at}:80` }));
  const load = { of: (slot: number) => Atomics.load(inFlight, slot), pendingOf: () => 0 };
  const means = { load, random, cursor, cursorIndex: 0, latency, shelf: new MaglevShelf() };
  const build = () => policies[name].build(candidates, means, candidates);

  const startMs = performance.now();
  let picker = build();
  const firstMs = performance.now() - startMs;
  let rebuildMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const roundMs = performance.now();
    picker = build();
    rebuildMs = Math.min(rebuildMs, performance.now() - roundMs);
  }
  const request: PickRequest = {
    addressHash: 0,
    keyHash: 0,
    tried: new Int32Array(8),
    triedCount: 0,
  };
  let pickNs = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let round = 0; round < 60; round++) {
    const roundMs = performance.now();
    for (let pick = 0; pick < picks; pick++) {
      request.keyHash = mix32(pick);
      sum += picker.pick(request);
    }
    pickNs = Math.min(pickNs, ((performance.now() - roundMs) / picks) * 1e6);
  }
  // Read, so that the picks cannot be left out.
  return { pickNs: sum < 0 ? Number.NaN : pickNs, rebuildMs, firstMs };
}

if (process.argv[1] === import.meta.filename) {
  for (const servers of [10, 10_000]) {
    for (const name of constantTime) {
      for (const isWeighted of [false, true]) {
        const figures = benchPicks(name, { servers, isWeighted, picks: 10_000 });
        const { pickNs, rebuildMs, firstMs } = figures;
        console.log(
          `${name}, ${servers} servers${isWeighted ? ', weights 1-100' : ''}: ` +
            `${pickNs.toFixed(0)} ns per pick, rebuild ${rebuildMs.toFixed(1)} ms, first ${firstMs.toFixed(1)} ms`,
        );
      }
    }
  }
}
