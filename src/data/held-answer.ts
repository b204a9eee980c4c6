import type { BufferPool } from '../platform/driver.ts';
import { PendingBytes } from './pending-bytes.ts';

/** An answer of a server whose hooks have yet to decide: its head, and what came behind it. */
export class HeldAnswer {
  /** The head as it came. */
  readonly head: Uint8Array;
  readonly pending: PendingBytes;
  /** The server has sent its FIN. */
  hasEnded = false;
  /** The link is gone, by this errno; -1 while it is not. */
  closedErrno = -1;

  constructor(head: Uint8Array, buffers: BufferPool) {
    this.head = head;
    this.pending = new PendingBytes(buffers);
  }
}
