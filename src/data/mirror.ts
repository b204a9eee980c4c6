import { invariant } from '../base/invariant.ts';
import { TimerEntry } from '../base/timing-wheel.ts';
import { RouteColumn } from '../observe/columns.ts';
import { Framing, type Head } from '../wire/http1/head.ts';
import { Act } from './acts.ts';
import { type ClientSide, Exchange, type SpanSink, type Surrendered } from './exchange.ts';
import type { Plane } from './plane.ts';
import type { CompiledPool, ListenerTable } from './table.ts';

/** Copies of one route's requests that this worker has under way; lives over reloads. */
export interface MirrorLoad {
  pending: number;
}

/** Where and how much a route mirrors, as a worker uses it. */
export interface CompiledMirror {
  readonly pool: CompiledPool;
  readonly share: number;
  readonly bodyBytesMax: number;
  readonly timeoutMs: number;
  readonly pendingMax: number;
  readonly load: MirrorLoad;
  /** Base of the route's counters. */
  readonly counters: number;
}

/**
 * Begins the copy of a request whose head is at hand; null when there is none.
 * Chosen and dropped counts as dropped; not chosen, or an upgrade, counts as nothing.
 */
export function beginMirror(
  plane: Plane,
  exchange: Exchange,
  mirror: CompiledMirror,
  head: Head,
): MirrorCopy | null {
  if (plane.random() >= mirror.share || exchange.wantsUpgrade) return null;
  const isTooLong = head.framing === Framing.LENGTH && head.contentLength > mirror.bodyBytesMax;
  if (isTooLong || mirror.load.pending >= mirror.pendingMax || plane.buffers.isScarce) {
    drop(plane, exchange, mirror);
    return null;
  }
  const { key } = mirror.pool;
  const hash = key === null ? exchange.addressHash : key.hashOr(head, exchange.addressHash);
  return new MirrorCopy(plane, exchange, mirror, hash);
}

function drop(plane: Plane, exchange: Exchange, mirror: CompiledMirror): void {
  exchange.acts |= Act.MIRROR_DROPPED;
  plane.cells[mirror.counters + RouteColumn.MIRRORS_DROPPED]! += 1;
}

/** What a copy is doing. */
const State = { GATHERING: 0, WHOLE: 1, GONE: 2 } as const;

/**
 * The copy of one request: stands between the request's body and its exchange and passes everything on,
 * noting it in bytes of its own, so that it holds no buffer that others need. Sent when the request is
 * whole, as an exchange of its own whose client takes everything and tells nobody.
 *
 *   GATHERING ──last byte──▶ WHOLE ──sent──▶ GONE
 *       └── too long, its exchange ended ──▶ GONE, counted as dropped
 */
export class MirrorCopy implements SpanSink {
  readonly #plane: Plane;
  readonly #exchange: Exchange;
  readonly #mirror: CompiledMirror;
  readonly #keyHash: number;
  readonly #listener: ListenerTable;
  #state: number = State.GATHERING;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;
  #lengthMax = Number.POSITIVE_INFINITY;

  constructor(plane: Plane, exchange: Exchange, mirror: CompiledMirror, keyHash: number) {
    this.#plane = plane;
    this.#exchange = exchange;
    this.#mirror = mirror;
    this.#keyHash = keyHash;
    invariant(exchange.listener !== null, 'a running exchange has its listener');
    this.#listener = exchange.listener;
    mirror.load.pending++;
  }

  /** The head as it goes to the server is all that the exchange holds now. */
  takeHead(): void {
    const { segments, segmentWords } = this.#exchange;
    for (let i = 0; i < segmentWords; i += 3) {
      const from = segments[i + 1]!;
      this.#note(this.#plane.buffers.bytes, from, from + segments[i + 2]!);
    }
    this.#lengthMax = this.#length + this.#mirror.bodyBytesMax;
  }

  span(id: number, offset: number, length: number): void {
    this.#note(this.#plane.buffers.bytes, offset, offset + length);
    this.#exchange.span(id, offset, length);
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    this.#note(bytes, start, end);
    this.#exchange.copy(bytes, start, end);
  }

  /** The request's last byte was noted; `send` follows, when its exchange had its turn. */
  whole(): void {
    if (this.#state !== State.GATHERING) return;
    if (this.#exchange.isBroken || this.#plane.buffers.isScarce) {
      this.#drop();
      return;
    }
    this.#state = State.WHOLE;
    this.#exchange.acts |= Act.MIRRORED;
    this.#plane.cells[this.#mirror.counters + RouteColumn.MIRRORS]! += 1;
  }

  send(): void {
    if (this.#state !== State.WHOLE) return;
    this.#state = State.GONE;
    const plane = this.#plane;
    const { method, minor, clientAddress, addressHash } = this.#exchange;
    const bytes = this.#bytes.subarray(0, this.#length);
    const copy = plane.freeExchanges.pop() ?? new Exchange(plane.buffers);
    const side = new MirrorSide(plane, copy, this.#mirror);
    copy.begin(side, this.#listener, plane.driver);
    copy.isMirror = true;
    copy.pool = this.#mirror.pool;
    copy.method = method;
    copy.minor = minor;
    copy.clientAddress = clientAddress;
    copy.addressHash = addressHash;
    copy.keyHash = this.#keyHash;
    copy.isRequestComplete = true;
    // One try, wherever that ends: a copy is worth no load that somebody may need.
    copy.isReplayable = false;
    copy.isIdempotent = false;
    copy.spilled = bytes;
    copy.requestBytes = bytes.length;
    plane.conductor.begin(copy);
  }

  /** The exchange that is copied has ended. */
  ended(): void {
    if (this.#state === State.GATHERING) this.#drop();
  }

  #note(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state !== State.GATHERING) return;
    const length = this.#length + end - start;
    if (length > this.#lengthMax) {
      this.#drop();
      return;
    }
    if (length > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      wider.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = wider;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length = length;
  }

  #drop(): void {
    this.#state = State.GONE;
    this.#bytes = new Uint8Array(0);
    this.#mirror.load.pending--;
    drop(this.#plane, this.#exchange, this.#mirror);
  }
}

/** The client of a copy: takes whatever comes and gives it to nobody; ends the copy when it lasts too long. */
class MirrorSide implements ClientSide {
  readonly address = '';
  readonly waitingBytes = 0;
  readonly #plane: Plane;
  readonly #mirror: CompiledMirror;
  readonly #timer: TimerEntry;

  constructor(plane: Plane, copy: Exchange, mirror: CompiledMirror) {
    this.#plane = plane;
    this.#mirror = mirror;
    this.#timer = new TimerEntry(() => {
      this.#over(true);
      plane.conductor.clientGone(copy, 'client-aborted');
    });
    plane.wheel.schedule(this.#timer, plane.driver.now() + mirror.timeoutMs);
  }

  span(id: number): void {
    this.#plane.buffers.release(id);
  }

  /** Plain bytes are the cheapest to throw away. */
  answer(exchange: Exchange, head: Head): number {
    exchange.status = head.status;
    return Framing.CLOSE;
  }

  finish(exchange: Exchange): void {
    this.#over(exchange.failure !== null);
  }

  abortAnswer(): void {
    this.#over(true);
  }

  answerHere(exchange: Exchange): void {
    this.#plane.conductor.endedHere(exchange);
  }

  answerFailure(exchange: Exchange): void {
    this.#plane.conductor.endedHere(exchange);
  }

  surrender(): Surrendered {
    invariant(false, 'a copy never becomes a tunnel: upgrades are not mirrored');
  }

  copy(): void {}
  interim(): void {}
  flush(): void {}
  tally(): void {}
  setBodyPaused(): void {}
  carriedBy(): void {}
  forget(): void {}

  #over(hasFailed: boolean): void {
    this.#plane.wheel.cancel(this.#timer);
    this.#mirror.load.pending--;
    if (hasFailed) this.#plane.cells[this.#mirror.counters + RouteColumn.MIRRORS_FAILED]! += 1;
  }
}
