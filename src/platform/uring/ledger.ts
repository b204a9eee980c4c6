import { invariant } from '../../base/invariant.ts';
import type { Mapping } from './memory.ts';
import type { CompletionLayout } from './ring.ts';

/**
 * What a worker leaves behind in shared memory, so that control can clean up after its thread's
 * death. 256 words of Int32:
 *
 *   0      1 while a driver is alive        8…103   mappings: address low, high, length low, high
 *   1, 2   ring and event descriptor + 1    128     number of listening descriptors
 *   3      number of mappings               129…255 those descriptors + 1 (0 = gone)
 *   4…7    completion ring: head word, tail word, mask, entries word (mapping 0 is the ring's)
 */
export const Ledger = {
  STATE: 0,
  RING: 1,
  EVENT: 2,
  MAPPING_COUNT: 3,
  LAYOUT: 4,
  MAPPINGS: 8,
  MAPPINGS_MAX: 24,
  LISTENER_COUNT: 128,
  LISTENERS: 129,
  LISTENERS_MAX: 127,
  WORDS: 256,
} as const;

/** Opens the ledger: ring, eventfd and all mappings; the first mapping is that of the rings. */
export function openLedger(
  ledger: Int32Array,
  ring: { readonly fd: number; readonly layout: CompletionLayout },
  eventFd: number,
  mappings: readonly Mapping[],
): void {
  invariant(ledger.length >= Ledger.WORDS, 'a ledger has 256 words');
  invariant(mappings.length <= Ledger.MAPPINGS_MAX, 'the mappings fit the ledger');
  mappings.forEach((mapping, i) => {
    const at = Ledger.MAPPINGS + i * 4;
    writeWide(ledger, at, mapping.address);
    writeWide(ledger, at + 2, mapping.length);
  });
  const { headWord, tailWord, mask, entriesWord } = ring.layout;
  [headWord, tailWord, mask, entriesWord].forEach((word, i) => {
    Atomics.store(ledger, Ledger.LAYOUT + i, word);
  });
  Atomics.store(ledger, Ledger.MAPPING_COUNT, mappings.length);
  Atomics.store(ledger, Ledger.RING, ring.fd + 1);
  Atomics.store(ledger, Ledger.EVENT, eventFd + 1);
  Atomics.store(ledger, Ledger.STATE, 1);
}

/** Forgets everything: nothing is left to reclaim. */
export function clearLedger(ledger: Int32Array): void {
  for (let i = 0; i < Ledger.WORDS; i++) Atomics.store(ledger, i, 0);
}

/** Notes a listening descriptor of ours; returns its place for `forgetListener`. */
export function noteListener(ledger: Int32Array, fd: number): number {
  const count = Atomics.load(ledger, Ledger.LISTENER_COUNT);
  for (let i = 0; i < Ledger.LISTENERS_MAX; i++) {
    if (Atomics.load(ledger, Ledger.LISTENERS + i) !== 0) continue;
    Atomics.store(ledger, Ledger.LISTENERS + i, fd + 1);
    if (i >= count) Atomics.store(ledger, Ledger.LISTENER_COUNT, i + 1);
    return i;
  }
  invariant(false, 'a worker has at most 127 listening sockets');
}

/** The descriptor at `place` is about to be closed by the worker itself. */
export function forgetListener(ledger: Int32Array, place: number): void {
  Atomics.store(ledger, Ledger.LISTENERS + place, 0);
}

/** Marks `fd` as owned by a link. Descriptors beyond the bits cannot be reclaimed and are refused. */
export function noteDescriptor(bits: Int32Array, fd: number): void {
  invariant(fd >>> 5 < bits.length, 'descriptors fit the ledger');
  Atomics.or(bits, fd >>> 5, 1 << (fd & 31));
}

/** `fd` is about to be closed: its number may be another's next. */
export function forgetDescriptor(bits: Int32Array, fd: number): void {
  Atomics.and(bits, fd >>> 5, ~(1 << (fd & 31)));
}

/** Reads the 64-bit value at word `at` (two halves). */
export function readWide(ledger: Int32Array, at: number): number {
  const low = Atomics.load(ledger, at) >>> 0;
  return (Atomics.load(ledger, at + 1) >>> 0) * 4_294_967_296 + low;
}

function writeWide(ledger: Int32Array, at: number, value: number): void {
  Atomics.store(ledger, at, (value % 4_294_967_296) | 0);
  Atomics.store(ledger, at + 1, Math.floor(value / 4_294_967_296) | 0);
}
