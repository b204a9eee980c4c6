import { type Libc, loadLibc } from '../libc.ts';
import { Cqe, KIND_BITS, Kind, Posix } from './constants.ts';
import { clearLedger, Ledger, readWide } from './ledger.ts';
import { Mapping } from './memory.ts';

/**
 * Cleans up after a worker thread that has exited with a driver alive; run by control, after the
 * thread's `exit` event and before its replacement starts. A dead thread's ring lives on through its
 * mappings: its armed accept would swallow connections, its links would stay open.
 *
 * Links are reset, not closed: a FIN in the middle of an answer could look like its end.
 * Returns how many links were closed; 0 when the ledger is empty. Never fails on a half-written ledger.
 * Cost: reads `descriptorBits` once (128 KiB at most).
 */
export function reclaimDeadWorker(ledger: Int32Array, descriptorBits: Int32Array): number {
  if (Atomics.load(ledger, Ledger.STATE) === 0) return 0;
  const libc = loadLibc();
  const accepted = unseenAccepts(libc, ledger);
  const mappingCount = Atomics.load(ledger, Ledger.MAPPING_COUNT);
  for (let i = 0; i < mappingCount; i++) {
    const at = Ledger.MAPPINGS + i * 4;
    libc.munmap(readWide(ledger, at), readWide(ledger, at + 2));
  }
  closeNoted(libc, Atomics.load(ledger, Ledger.RING));
  closeNoted(libc, Atomics.load(ledger, Ledger.EVENT));
  const listenerCount = Atomics.load(ledger, Ledger.LISTENER_COUNT);
  for (let i = 0; i < listenerCount; i++) {
    closeNoted(libc, Atomics.load(ledger, Ledger.LISTENERS + i));
  }
  const unspecified = Mapping.anonymous(libc, 4096);
  let closed = 0;
  for (const fd of accepted) closed += resetLink(libc, fd, unspecified.address);
  for (let word = 0; word < descriptorBits.length; word++) {
    const bits = Atomics.exchange(descriptorBits, word, 0);
    for (let bit = 0; bits >>> bit !== 0 && bit < 32; bit++) {
      if (((bits >>> bit) & 1) === 0) continue;
      closed += resetLink(libc, word * 32 + bit, unspecified.address);
    }
  }
  unspecified.unmap();
  clearLedger(ledger);
  return closed;
}

/** Descriptors that the kernel accepted and the thread never saw: they are in the completion queue only. */
function unseenAccepts(libc: Libc, ledger: Int32Array): number[] {
  const address = readWide(ledger, Ledger.MAPPINGS);
  const length = readWide(ledger, Ledger.MAPPINGS + 2);
  const [headWord, tailWord, mask, entriesWord] = [0, 1, 2, 3].map((i) => {
    return Atomics.load(ledger, Ledger.LAYOUT + i);
  }) as [number, number, number, number];
  const memory = libc.view(address, length);
  const words = new Int32Array(memory);
  const found: number[] = [];
  const tail = Atomics.load(words, tailWord);
  const count = Math.min((tail - Atomics.load(words, headWord)) | 0, mask + 1);
  for (let i = 0; i < count; i++) {
    const at = entriesWord + ((tail - count + i) & mask) * Cqe.WORDS;
    const kind = (words[at] as number) & ((1 << KIND_BITS) - 1);
    const result = words[at + 2] as number;
    if (kind === Kind.ACCEPT && result >= 0) found.push(result);
  }
  // The view must be empty before its memory is unmapped.
  memory.transfer();
  return found;
}

function closeNoted(libc: Libc, descriptorPlusOne: number): void {
  if (descriptorPlusOne > 0) libc.close(descriptorPlusOne - 1);
}

/**
 * Connecting to AF_UNSPEC resets a TCP connection at once, however many operations of the dying ring
 * still hold the socket; where that means nothing (Unix sockets) it is shut down.
 */
function resetLink(libc: Libc, fd: number, unspecifiedAt: number): number {
  if (libc.connect(fd, unspecifiedAt, 16) !== 0) libc.shutdown(fd, Posix.SHUT_RDWR);
  return libc.close(fd) === 0 ? 1 : 0;
}
