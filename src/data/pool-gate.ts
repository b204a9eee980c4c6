import { TimerEntry } from '../base/timing-wheel.ts';
import { enterPool, leavePool } from '../limit/pool-places.ts';
import { SharedQueue } from '../limit/shared-queue.ts';
import { classTableOf, type QueueClassTable } from '../match/queue-class.ts';
import { limits } from '../model/limits.ts';
import type { Pool } from '../model/snapshot.ts';
import { PoolColumn } from '../observe/columns.ts';
import type { Exchange } from './exchange.ts';
import { NEVER } from './failover-state.ts';
import type { Plane } from './plane.ts';
import type { CompiledPool } from './table.ts';

/** Who can be told that an exchange of his has its turn. */
export interface QueueOwner {
  /** Takes a place if there is one; false: all are taken still, the exchange stays first. */
  takeTurn(exchange: Exchange): boolean;
  /** The exchange has waited for as long as it may; it is out of the queue. */
  waitedTooLong(exchange: Exchange): void;
}

/** The line of those for whom not every place will do: they have tried a server, or their route has a part of the pool. They hold up nobody. */
const CHOOSY = limits.queueClasses;
/** How many of them one look for places asks. */
const CHOOSY_LOOKS = 64;

/** One exchange in the queue. */
export class Waiter {
  readonly exchange: Exchange;
  readonly owner: QueueOwner;
  readonly klass: number;
  readonly ticket: number;
  readonly sinceMs: number;
  readonly timer: TimerEntry;
  previous: Waiter | null = null;
  next: Waiter | null = null;

  constructor(
    gate: PoolGate,
    exchange: Exchange,
    owner: QueueOwner,
    ticket: number,
    nowMs: number,
  ) {
    this.exchange = exchange;
    this.owner = owner;
    this.klass = gate.isChoosy(exchange) ? CHOOSY : exchange.failover.priority;
    this.ticket = ticket;
    this.sinceMs = nowMs;
    this.timer = new TimerEntry(() => {
      gate.leave(exchange);
      owner.waitedTooLong(exchange);
    });
  }
}

/** The waiters of one class with this worker, oldest first. */
interface Line {
  first: Waiter | null;
  last: Waiter | null;
}

/**
 * A pool's own limits in one worker: its places over all servers, and its queue. Made for pools that configure
 * either; lives by pool slot, so that those who wait outlast a reload. Who arrives while others wait goes behind them.
 *
 *   all places taken ─▶ enter: a ticket, a line per class ─▶ first of all workers' lines ─▶ a place ─▶ sent
 *                         └─ full: queue-full      └─ deadline: queue-timeout    └─ client gone: leaves
 *
 * Requests that cannot use every place wait apart, with their worker alone. A place that is given back on any worker wakes the worker whose waiter is next by its doorbell; nothing polls, apart
 * from one look per tick of workers that have waiters, since a server may also come back or be added.
 */
export class PoolGate {
  readonly #plane: Plane;
  readonly #slot: number;
  readonly #shared: SharedQueue;
  readonly #lines: Line[] = [];
  /** The whole pool of the snapshot in force. */
  #pool: CompiledPool | null = null;
  #placesMax = 0;
  #sizeMax = 0;
  #timeoutMs = 0;
  #count = 0;
  #isServing = false;
  #isToServeAgain = false;
  /** How the header of a request tells its class; null = all are one. */
  classes: QueueClassTable | null = null;

  constructor(plane: Plane, slot: number) {
    this.#plane = plane;
    this.#slot = slot;
    this.#shared = new SharedQueue(plane.words, plane, slot);
    for (let line = 0; line <= CHOOSY; line++) {
      this.#lines.push({ first: null, last: null });
    }
  }

  /** Takes over the settings of a new snapshot, and those who wait into its pool. */
  use(pool: CompiledPool): void {
    const { queue, connectionsMax }: Pool = pool.pool;
    this.#placesMax = connectionsMax;
    this.#sizeMax = queue?.size ?? 0;
    this.#timeoutMs = queue?.timeoutMs ?? 0;
    this.classes = classTableOf(queue);
    for (const line of this.#lines) {
      for (let waiter = line.first; waiter !== null; waiter = waiter.next) {
        if (waiter.exchange.pool === this.#pool) waiter.exchange.pool = pool;
      }
    }
    this.#pool = pool;
  }

  /** Is there a place in the pool that would not do for it? */
  isChoosy(exchange: Exchange): boolean {
    return exchange.triedCount > 0 || exchange.pool !== this.#pool;
  }

  /** Exchanges that wait with this worker. */
  get count(): number {
    return this.#count;
  }

  /** Somebody waits, here or with another worker. Cost: one atomic read. */
  get isCrowded(): boolean {
    return this.#shared.count > 0;
  }

  get hasQueue(): boolean {
    return this.#sizeMax > 0;
  }

  /** One of the pool's places; true also where it has no limit of its own. */
  takePlace(exchange: Exchange): boolean {
    if (this.#placesMax === 0) return true;
    const { words, worker } = this.#plane;
    if (!enterPool(words, worker, this.#slot, this.#placesMax)) return false;
    exchange.failover.hasPoolPlace = true;
    return true;
  }

  givePlace(exchange: Exchange): void {
    if (!exchange.failover.hasPoolPlace) return;
    exchange.failover.hasPoolPlace = false;
    leavePool(this.#plane.words, this.#plane.worker, this.#slot);
  }

  /** Puts the exchange at the end of its line; it may have its turn before this returns. False: the queue is full. */
  enter(exchange: Exchange, owner: QueueOwner): boolean {
    const plane = this.#plane;
    const { failover } = exchange;
    const nowMs = plane.driver.preciseNow();
    if (!this.#shared.enter(this.#sizeMax)) return false;
    // A second wait of one exchange shares the time of the first: no failing server can keep it here for ever.
    if (failover.queueUntilMs === NEVER) failover.queueUntilMs = nowMs + this.#timeoutMs;
    const waiter = new Waiter(this, exchange, owner, this.#shared.ticket(), nowMs);
    failover.waiter = waiter;
    failover.isArmed = true;
    exchange.trace?.queued();
    this.#append(waiter);
    plane.fineTimers.schedule(waiter.timer, failover.queueUntilMs);
    plane.cells[plane.counters.pool(this.#slot) + PoolColumn.QUEUED]! += 1;
    plane.listenForTurns();
    // A place that was given back before our ticket was shown woke nobody.
    this.serve();
    return true;
  }

  /** Takes the exchange out of the queue, if it is in it. */
  leave(exchange: Exchange): void {
    const { failover } = exchange;
    const { waiter } = failover;
    if (waiter === null) return;
    failover.waiter = null;
    exchange.trace?.unqueued();
    failover.waitedMs += this.#plane.driver.preciseNow() - waiter.sinceMs;
    this.#plane.fineTimers.cancel(waiter.timer);
    this.#remove(waiter);
    this.#shared.leave();
  }

  /** A place was given back by this worker. */
  freed(): void {
    if (this.isCrowded) this.serve();
  }

  /** The same in the midst of an answer: who has his turn takes it in an event of his own. */
  freedSoon(): void {
    if (!this.isCrowded) return;
    const turn = this.#shared.turn();
    this.#shared.ring(turn < 0 ? this.#plane.worker : turn);
  }

  /** Gives places to those whose turn it is, for as long as there are any; wakes another worker when it is its turn. */
  serve(): void {
    if (this.#isServing) {
      this.#isToServeAgain = true;
      return;
    }
    this.#isServing = true;
    do {
      this.#isToServeAgain = false;
      this.#serveAll();
    } while (this.#isToServeAgain);
    this.#isServing = false;
  }

  #serveAll(): void {
    let choosy = this.#lines[CHOOSY]!.first;
    for (let looks = 0; choosy !== null && looks < CHOOSY_LOOKS; looks++) {
      const { next } = choosy;
      choosy.owner.takeTurn(choosy.exchange);
      choosy = next;
    }
    for (;;) {
      const turn = this.#shared.turn();
      if (turn < 0) return;
      if (turn !== this.#plane.worker) {
        this.#shared.ring(turn);
        return;
      }
      const waiter = this.#first();
      if (waiter === null || !waiter.owner.takeTurn(waiter.exchange)) return;
    }
  }

  #first(): Waiter | null {
    for (let klass = 0; klass < CHOOSY; klass++) {
      const { first } = this.#lines[klass]!;
      if (first !== null) return first;
    }
    return null;
  }

  #append(waiter: Waiter): void {
    const line = this.#lines[waiter.klass]!;
    waiter.previous = line.last;
    if (line.last === null) {
      line.first = waiter;
      if (waiter.klass !== CHOOSY) this.#shared.show(waiter.klass, waiter.ticket);
    } else line.last.next = waiter;
    line.last = waiter;
    this.#count++;
  }

  #remove(waiter: Waiter): void {
    const line = this.#lines[waiter.klass]!;
    const { previous, next } = waiter;
    if (next === null) line.last = previous;
    else next.previous = previous;
    if (previous === null) {
      line.first = next;
      if (waiter.klass !== CHOOSY) this.#shared.show(waiter.klass, next === null ? 0 : next.ticket);
    } else previous.next = next;
    this.#count--;
  }
}
