import { ALL_BUSY } from '../balance/policy.ts';
import { bucketOf } from '../base/histogram.ts';
import { invariant } from '../base/invariant.ts';
import { TimerEntry } from '../base/timing-wheel.ts';
import type { FailureCode } from '../model/failure.ts';
import { ListenerColumn, PoolColumn, ServerColumn } from '../observe/columns.ts';
import type { Link, LinkHandler } from '../platform/driver.ts';
import { passesBreaker } from './breaker-pass.ts';
import { dialFailure } from './dial-failure.ts';
import { Exchange } from './exchange.ts';
import { countFailure, countSuccess } from './failure-streak.ts';
import type { ListenerLink, ListenerState } from './listener-state.ts';
import { noteFailureLatency } from './note-latency.ts';
import { answerBegan, givePlace, takePlace } from './places.ts';
import type { Plane } from './plane.ts';
import type { PoolGate, QueueOwner } from './pool-gate.ts';
import { record } from './record.ts';
import type { ServerState } from './server-state.ts';
import type { CompiledPool } from './table.ts';
import { Tunnel } from './tunnel.ts';

/**
 * One link of a tcp listener: a server is chosen and dialled, on failure the next one; nothing is read
 * from the client before a server is there, so nothing can be lost. Then both links are a tunnel.
 */
export class TcpLink implements LinkHandler, ListenerLink, QueueOwner {
  previous: ListenerLink | null = null;
  next: ListenerLink | null = null;
  readonly #plane: Plane;
  readonly #listener: ListenerState;
  readonly #link: Link;
  #pool: CompiledPool;
  readonly #exchange: Exchange;
  readonly #timer: TimerEntry;
  #far: Link | null = null;
  #state: ServerState | null = null;
  #tunnel: Tunnel | null = null;
  #isOver = false;
  #hasEnded = false;

  constructor(plane: Plane, listener: ListenerState, link: Link) {
    const pool = listener.current.pool;
    invariant(pool !== null, 'a tcp listener has its pool');
    this.#plane = plane;
    this.#listener = listener;
    this.#link = link;
    this.#pool = pool;
    this.#timer = new TimerEntry(() => this.#dialFailed('connect-timeout'));
    const exchange = plane.freeExchanges.pop() ?? new Exchange(plane.buffers);
    exchange.beginTunnel(listener.current, plane.driver);
    plane.cells[listener.current.counters + ListenerColumn.STARTED]! += 1;
    exchange.pool = pool;
    const peer = listener.current.peers.of(link.remoteAddress);
    exchange.clientAddress = peer.address;
    exchange.addressHash = peer.addressHash;
    exchange.keyHash = peer.addressHash;
    exchange.requestNumber = plane.nextRequestNumber();
    if (plane.hasAccessLog) exchange.note.clear(plane.logLayout);
    this.#exchange = exchange;
  }

  /** Chooses and dials. Call it once, after the link is in its listener's list. */
  start(): void {
    this.#link.pause();
    const pool = this.#pool;
    const { gate } = pool;
    if (pool.hasBreaker && !passesBreaker(this.#plane, this.#exchange, pool)) {
      this.#end('circuit-open');
    } else if (gate?.isCrowded === true) this.#enqueue(gate, 'no-server-available');
    else this.#attempt('no-server-available');
  }

  leave(): void {
    // A tunnel has no end of an exchange to wait for: it lives until the drain's deadline.
  }

  cut(): void {
    this.#link.abort();
  }

  get serverSlot(): number {
    return this.#isOver ? -1 : this.#exchange.slot;
  }

  endFor(code: FailureCode): void {
    if (this.#tunnel === null) this.#end(code);
    else this.#tunnel.end(code);
  }

  onConnected(): void {
    invariant(false, 'an accepted link is connected from its start');
  }

  onReceive(_link: Link, id: number, offset: number, length: number): void {
    // Bytes that the kernel had already given when the link was paused.
    this.#early.push(id, offset, length);
  }

  #early: number[] = [];

  onEnd(): void {
    this.#hasEnded = true;
  }

  onDrain(): void {}

  onClosed(): void {
    this.#end('client-aborted');
  }

  #attempt(code: FailureCode): void {
    const plane = this.#plane;
    const exchange = this.#exchange;
    const pool = this.#pool;
    const slot = takePlace(plane, exchange, pool);
    if (slot < 0) {
      if (slot === ALL_BUSY && pool.gate?.hasQueue === true) {
        this.#enqueue(pool.gate, code);
        return;
      }
      plane.cells[pool.counters + PoolColumn.NO_SERVER]! += 1;
      this.#end(exchange.attempts === 0 ? pool.eligible.reason : code);
      return;
    }
    this.#dial();
  }

  #dial(): void {
    const plane = this.#plane;
    const exchange = this.#exchange;
    exchange.attempts++;
    exchange.attemptAtUs = plane.driver.nowUs();
    const state = exchange.serverState;
    invariant(state !== null && state.target !== null, 'a picked server can be dialled');
    this.#state = state;
    plane.cells[state.counters + ServerColumn.DIALS]! += 1;
    plane.wheel.schedule(this.#timer, plane.driver.now() + this.#pool.pool.timeouts.connectMs);
    this.#far = plane.driver.dial(state.target, {
      onConnected: () => this.#connected(),
      onReceive: (_link, id) => plane.buffers.release(id),
      onEnd: () => {},
      onDrain: () => {},
      onClosed: (_link, errno) => this.#dialFailed(dialFailure(errno)),
    });
  }

  #enqueue(gate: PoolGate, code: FailureCode): void {
    this.#exchange.failover.code = code;
    if (gate.enter(this.#exchange, this)) return;
    this.#plane.cells[this.#pool.counters + PoolColumn.NO_SERVER]! += 1;
    this.#end('queue-full');
  }

  takeTurn(exchange: Exchange): boolean {
    // A reload may have brought the pool new servers.
    const pool = exchange.pool!;
    this.#pool = pool;
    if (pool.hasBreaker && !passesBreaker(this.#plane, exchange, pool)) {
      pool.gate!.leave(exchange);
      this.#end('circuit-open');
      return true;
    }
    const slot = takePlace(this.#plane, exchange, pool);
    if (slot === ALL_BUSY) return false;
    pool.gate!.leave(exchange);
    if (slot >= 0) this.#dial();
    else this.#end(exchange.attempts === 0 ? pool.eligible.reason : exchange.failover.code);
    return true;
  }

  waitedTooLong(): void {
    this.#end('queue-timeout');
  }

  #connected(): void {
    const plane = this.#plane;
    const exchange = this.#exchange;
    const far = this.#far;
    const state = this.#state;
    invariant(far !== null && state !== null, 'a dialled link is known');
    plane.wheel.cancel(this.#timer);
    exchange.connectUs = (plane.driver.nowUs() - exchange.attemptAtUs) & 0x7fffffff;
    plane.cells[state.counters + ServerColumn.CONNECTS]! += 1;
    plane.histogramCells[state.connectHistogram + bucketOf(exchange.connectUs)]! += 1;
    countSuccess(plane, exchange.slot);
    answerBegan(plane, exchange);
    this.#pool.latency?.observe(exchange.slot, exchange.connectUs);
    const tunnel = new Tunnel(plane, this.#link, far, (bytes, failure) => {
      exchange.answerBytes = bytes.toNear;
      exchange.requestBytes = bytes.toFar;
      plane.cells[state.counters + ServerColumn.BYTES_IN]! += bytes.toNear;
      plane.cells[state.counters + ServerColumn.BYTES_OUT]! += bytes.toFar;
      this.#listener.countBytesIn(bytes.toFar);
      this.#listener.countBytesOut(bytes.toNear);
      this.#over(failure);
    });
    const early = this.#early;
    this.#early = [];
    this.#tunnel = tunnel;
    tunnel.start(early, []);
    if (this.#hasEnded) tunnel.nearEnded();
    this.#link.resume();
  }

  #dialFailed(code: FailureCode): void {
    const plane = this.#plane;
    const exchange = this.#exchange;
    const far = this.#far;
    if (far === null || this.#isOver) return;
    this.#far = null;
    plane.wheel.cancel(this.#timer);
    far.handler = deaf(plane);
    far.abort();
    countFailure(plane, exchange.slot, code);
    noteFailureLatency(plane, exchange, exchange.slot);
    exchange.addTried(exchange.slot);
    givePlace(plane, exchange);
    this.#attempt(code);
  }

  /** Ends without a tunnel. */
  #end(code: FailureCode): void {
    if (this.#isOver) return;
    const far = this.#far;
    this.#far = null;
    this.#plane.wheel.cancel(this.#timer);
    if (far !== null) {
      far.handler = deaf(this.#plane);
      far.abort();
    }
    for (let i = 0; i < this.#early.length; i += 3) this.#plane.buffers.release(this.#early[i]!);
    this.#early = [];
    this.#over(code);
    if (this.#link.isOpen) this.#link.abort();
  }

  #over(failure: FailureCode | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const plane = this.#plane;
    const exchange = this.#exchange;
    exchange.failure = failure;
    // An orderly end counts as a success; there is no status to count by.
    exchange.status = failure === null ? 200 : 0;
    if (exchange.failover.waiter !== null) exchange.pool!.gate!.leave(exchange);
    // Before its place is given back: only a server with nothing in flight may lose its slot.
    record(plane, exchange);
    givePlace(plane, exchange);
    exchange.listener = null;
    exchange.pool = null;
    plane.freeExchanges.push(exchange);
    this.#listener.removeLink(this);
  }
}

/** Takes what still comes from a link that nobody wants any more. */
function deaf(plane: Plane): LinkHandler {
  return {
    onConnected: () => {},
    onReceive: (_link, id) => plane.buffers.release(id),
    onEnd: () => {},
    onDrain: () => {},
    onClosed: () => {},
  };
}
