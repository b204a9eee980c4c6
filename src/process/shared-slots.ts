import { takeToldLoad } from '../balance/told-load.ts';
import { clearWeightFactor } from '../balance/weight-factor.ts';
import { type DepartedOwner, SlotBook, type SlotKind } from '../control/publish/slots.ts';
import { DepartedTotals } from '../control/report/departed.ts';
import { forgetIdleLimit } from '../limit/idle-limit.ts';
import { limits } from '../model/limits.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import { timingCount } from '../observe/columns.ts';
import type { CounterReader } from '../observe/counters.ts';
import type { HistogramReader } from '../observe/histograms.ts';

/** The book of slots over this process's shared memory, and what departed owners had counted. */
export interface SharedSlots {
  readonly slots: SlotBook;
  readonly departed: DepartedTotals;
}

/** Opens both. `workers`: rows of the shared blocks. */
export function createSlotBook(
  words: SharedWords,
  readers: { readonly counters: CounterReader; readonly histograms: HistogramReader },
  workers: number,
): SharedSlots {
  const slots = new SlotBook({
    capacities: {
      listener: limits.listeners,
      route: limits.routes,
      pool: limits.pools,
      server: limits.serverSlots,
    },
    isQuiet: (kind, slot) => isQuiet(words, workers, kind, slot),
    onReused: (former) => {
      const { kind, slot } = former;
      // Of ten thousand servers most may never have counted anything: their histograms are not read.
      const hasCounted = readers.counters.row(kind, slot).some((count) => count !== 0);
      departed.fold(former);
      readers.counters.resetSlot(kind, slot);
      if (hasCounted) {
        if (kind === 'server') leaveDurations(former, slots, readers.histograms);
        readers.histograms.resetSlot(kind, slot);
      }
      if (kind === 'server') {
        Atomics.store(words.failureStreak, slot, 0);
        forgetIdleLimit(words, slot);
        clearWeightFactor(words, slot);
        Atomics.store(words.latencyUs, slot, 0);
        takeToldLoad(words, slot);
      }
      if (kind !== 'pool') return;
      Atomics.store(words.cursor, slot, 0);
      Atomics.store(words.retryTokens, slot, 0);
      Atomics.store(words.breaker, slot, 0);
    },
    onReturned: (kind, slot) => {
      if (kind === 'server') Atomics.store(words.failureStreak, slot, 0);
    },
  });
  const departed = new DepartedTotals(readers.counters, (kind) => slots.departed(kind));
  return { slots, departed };
}

/** A pool's durations are those of its servers: what one of them leaves for good becomes the pool's own. */
function leaveDurations(
  { pool, slot }: DepartedOwner,
  slots: SlotBook,
  histograms: HistogramReader,
): void {
  const poolSlot = pool === null ? null : slots.lastPoolSlot(pool);
  if (poolSlot === null) return;
  for (let timing = 0; timing < timingCount; timing++) {
    const cells: number[] = [];
    histograms.read('server', slot, timing).forEach((count, bucket) => {
      if (count !== 0) cells.push(bucket, count);
    });
    if (cells.length > 0) histograms.add('pool', poolSlot, timing, cells);
  }
}

/** Routes have no load of their own: an applied later publication is all they need. */
function isQuiet(words: SharedWords, workers: number, kind: SlotKind, slot: number): boolean {
  if (kind === 'server') return Atomics.load(words.inFlight, slot) === 0;
  if (kind === 'pool') {
    return (
      Atomics.load(words.poolQueued, slot) === 0 && Atomics.load(words.poolInFlight, slot) === 0
    );
  }
  if (kind !== 'listener') return true;
  for (let worker = 0; worker < workers; worker++) {
    if (Atomics.load(words.linksByWorker, worker * limits.listeners + slot) !== 0) return false;
  }
  return true;
}
