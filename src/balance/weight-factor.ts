import { limits } from '../model/limits.ts';
import type { SharedWords } from '../model/shared-memory.ts';

/**
 * Who may lower the weight of a server at run time. Each has a word of its own per slot, so that
 * none needs to know what the others said; the factors multiply.
 */
export const WeightSource = {
  /** The ramp of a new or recovered server. */
  SLOW_START: 0,
  /** An agent's `75%`. */
  AGENT: 1,
  /** What the server told of its load in an answer. */
  LOAD: 2,
} as const;

/** One of `WeightSource`. */
export type WeightSourceIndex = (typeof WeightSource)[keyof typeof WeightSource];

const SOURCES = 3;
/** Steps of a factor: a hundredth of a per cent. */
const STEPS = 10_000;

/** The words of shared memory that factors live in. */
type FactorWords = Pick<SharedWords, 'weightFactor'>;

/**
 * Says what part of its weight a server should get: 0 (no new traffic) … 1 (all of it; also what a
 * word says that nobody wrote). Written by control only, which moves the epoch on afterwards so that
 * pickers are built anew. True when the word changed.
 */
export function setWeightFactor(
  words: FactorWords,
  source: WeightSourceIndex,
  slot: number,
  factor: number,
): boolean {
  const within = Math.min(1, Math.max(0, factor));
  // Kept as what is missing to 1, so that zeroed memory means "everything".
  const missing = STEPS - Math.round(within * STEPS);
  const at = source * limits.serverSlots + slot;
  return Atomics.exchange(words.weightFactor, at, missing) !== missing;
}

/** What one source says of a server: 0 … 1. */
export function weightFactorBy(
  words: FactorWords,
  source: WeightSourceIndex,
  slot: number,
): number {
  return (STEPS - Atomics.load(words.weightFactor, source * limits.serverSlots + slot)) / STEPS;
}

/** The product of what all sources say of a server: 0 … 1. Cost: three reads. */
export function weightFactorOf(words: FactorWords, slot: number): number {
  let factor = 1;
  for (let source = 0; source < SOURCES; source++) {
    const missing = Atomics.load(words.weightFactor, source * limits.serverSlots + slot);
    if (missing !== 0) factor *= (STEPS - missing) / STEPS;
  }
  return factor;
}

/** Forgets what was said of a slot: it has a new owner. */
export function clearWeightFactor(words: FactorWords, slot: number): void {
  for (let source = 0; source < SOURCES; source++) {
    Atomics.store(words.weightFactor, source * limits.serverSlots + slot, 0);
  }
}
