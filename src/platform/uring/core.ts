import { invariant } from '../../base/invariant.ts';
import type { LinkHandler } from '../driver.ts';
import type { Libc } from '../libc.ts';
import type { UringBuffers } from './buffers.ts';
import { KIND_BITS } from './constants.ts';
import type { Mapping } from './memory.ts';
import type { MessageSlots } from './messages.ts';
import type { Ring } from './ring.ts';

/** Slots fit the low word of `user_data` above the kind. */
const SLOTS_MAX = 1 << 22;

/** What completions of a slot go to: a link, or a listener for the accept kind. */
export interface SlotOwner {
  readonly slot: number;
  readonly generation: number;
  /** One completion. `result` ≥ 0 or a negative errno; `flags` of the completion. */
  complete(kind: number, result: number, flags: number): void;
  /** Prepares what the state asks for; called once per batch after `Core.touch`. */
  flush(): void;
}

/** What a link is made of; `remote*` and `localPort` as in `Link`. */
export interface LinkStart {
  readonly fd: number;
  readonly handler: LinkHandler;
  readonly isConnected: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
}

/** The slots of links or listeners: dense, reused, each use with a generation of its own. */
export class Slots {
  readonly owners: (SlotOwner | null)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

  /** A slot for the next `put`. */
  take(): number {
    const slot = this.#free.pop() ?? this.owners.length;
    invariant(slot < SLOTS_MAX, 'slots fit user_data');
    if (slot === this.owners.length) {
      this.owners.push(null);
      this.#generations.push(0);
    }
    return slot;
  }

  /** The generation of the next owner of `slot`. */
  generationOf(slot: number): number {
    return this.#generations[slot] as number;
  }

  put(owner: SlotOwner): void {
    this.owners[owner.slot] = owner;
  }

  /** `slot` is free; completions that still carry its old generation are ignored. */
  drop(slot: number): void {
    this.owners[slot] = null;
    this.#generations[slot] = ((this.#generations[slot] as number) + 1) | 0;
    this.#free.push(slot);
  }

  /** Slots that wait for a new owner. */
  get freeCount(): number {
    return this.#free.length;
  }
}

/** What the parts of one driver share. */
export class Core {
  readonly libc: Libc;
  readonly ring: Ring;
  readonly buffers: UringBuffers;
  readonly messages: MessageSlots;
  /** Small structures for direct calls: socket options, addresses. */
  readonly scratch: Mapping;
  readonly descriptorBits: Int32Array;
  /** The kernel limits the bytes of one multishot receive (6.17). */
  readonly hasReceiveLimit: boolean;
  readonly links: Slots = new Slots();
  readonly listeners: Slots = new Slots();
  /** Time of this round: whole ms, and µs wrapped to 32 bits. */
  nowMs = 0;
  nowUs = 0;
  openLinks = 0;
  /** Receives that found no buffer so far. */
  bufferMisses = 0;
  /** Wakes the driver when something is to be done and no turn is running. */
  wake: () => void = () => {};
  readonly #touched: (SlotOwner | null)[] = [];
  #touchedCount = 0;
  readonly #waiting: SlotOwner[] = [];

  constructor(parts: {
    libc: Libc;
    ring: Ring;
    buffers: UringBuffers;
    messages: MessageSlots;
    scratch: Mapping;
    descriptorBits: Int32Array;
    hasReceiveLimit: boolean;
  }) {
    this.libc = parts.libc;
    this.ring = parts.ring;
    this.buffers = parts.buffers;
    this.messages = parts.messages;
    this.scratch = parts.scratch;
    this.descriptorBits = parts.descriptorBits;
    this.hasReceiveLimit = parts.hasReceiveLimit;
  }

  /** `preciseMs`: the clock's reading. Returns whole ms. */
  setTime(preciseMs: number): number {
    this.nowMs = Math.floor(preciseMs);
    this.nowUs = (preciseMs * 1000) | 0;
    return this.nowMs;
  }

  /** `owner` has something to prepare; the owner sees to it that it is noted once per batch. */
  touch(owner: SlotOwner): void {
    this.#touched[this.#touchedCount++] = owner;
    this.wake();
  }

  /** A receive found no buffer: it is armed again when there is one. */
  waitForBuffer(owner: SlotOwner): void {
    this.bufferMisses++;
    this.#waiting.push(owner);
    if (this.buffers.freeCount > 0) this.buffers.grow();
    this.buffers.onAvailable = this.wake;
  }

  /** Owners that wait for a receive buffer. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** True when the next `flush` has something to do. */
  get hasTouched(): boolean {
    if (this.#touchedCount > 0) return true;
    return this.#waiting.length > 0 && this.buffers.canReceive;
  }

  /** End of a batch: give buffers to the kernel, arm those who waited for them, prepare what is due. */
  flush(): void {
    this.buffers.refill();
    if (this.#waiting.length > 0) this.#serveWaiting();
    // Flushing touches nobody, so the count is fixed.
    const count = this.#touchedCount;
    for (let i = 0; i < count; i++) {
      (this.#touched[i] as SlotOwner).flush();
      this.#touched[i] = null;
    }
    this.#touchedCount = 0;
  }

  /** At most as many as the kernel has buffers, so that a dry pool does not spin. */
  #serveWaiting(): void {
    const count = Math.min(this.#waiting.length, this.buffers.kernelHeld);
    if (count === 0) return;
    for (const owner of this.#waiting.splice(0, count)) owner.complete(WAIT_OVER, 0, 0);
    if (this.#waiting.length === 0) this.buffers.onAvailable = null;
  }
}

/** Not a completion of the kernel: the wait for a buffer is over. Above all kinds of `user_data`. */
export const WAIT_OVER: number = 1 << KIND_BITS;
