import type { SharedWords } from '../model/shared-memory.ts';

/** The words of shared memory that told loads live in. */
export type ToldLoadWords = Pick<SharedWords, 'loadSum' | 'loadReports'>;

/** Loads are added up in thousandths. */
const STEPS = 1_000;
/** A load above this is told as this: twice what a server can take says all. */
const LOAD_MAX = 2;

/** Notes that a server told a load (1 = it can take no more). Cost: two atomic additions. */
export function noteToldLoad(words: ToldLoadWords, slot: number, load: number): void {
  Atomics.add(words.loadSum, slot, Math.round(Math.min(load, LOAD_MAX) * STEPS));
  Atomics.add(words.loadReports, slot, 1);
}

/** What a server told since the last call. */
export interface ToldLoad {
  readonly reports: number;
  /** Mean of the loads; 0 without reports. */
  readonly load: number;
}

/** Takes the loads that a server told; control calls it once a second. */
export function takeToldLoad(words: ToldLoadWords, slot: number): ToldLoad {
  const sum = Atomics.exchange(words.loadSum, slot, 0);
  const reports = Atomics.exchange(words.loadReports, slot, 0);
  return { reports, load: reports === 0 ? 0 : sum / STEPS / reports };
}
