import { type FailureCode, failureKind } from '../model/failure.ts';
import { SpanKind } from '../model/spans.ts';
import type { Exchange } from './exchange.ts';
import type { ServerState } from './server-state.ts';

/** A span that has ended inside a request. */
export interface EndedSpan {
  readonly kind: number;
  readonly id: readonly [number, number];
  readonly parent: readonly [number, number];
  /** µs since the request's start. */
  readonly startUs: number;
  readonly endUs: number;
  readonly status: number;
  readonly tries: number;
  readonly isReused: boolean;
  readonly pool: string;
  readonly server: string;
  readonly reason: string;
}

/** One try: what is known of it while it runs. */
interface Try {
  readonly id: readonly [number, number];
  readonly number: number;
  /** -1 while it has not been dialled or needed none. */
  connectUs: number;
}

/** What a trace is made with. */
export interface TraceStart {
  readonly trace: readonly [number, number, number, number];
  /** The client's span; null = this is the root. */
  readonly parent: readonly [number, number] | null;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly newId: () => readonly [number, number];
  readonly nowUs: () => number;
  /** Puts the present try's id where the kept request has the id before. */
  readonly onRenewed: (from: readonly [number, number], to: readonly [number, number]) => void;
}

/** Spans of one request, hedged ones too; a request that is not sampled has none. Bound: two spans a try, one a wait. */
export class Trace {
  readonly start: TraceStart;
  readonly id: readonly [number, number];
  readonly spans: EndedSpan[] = [];
  /** Status of the answer that was taken back, for the try that is given up next. */
  status = 0;
  /** Why a try leaves a race. */
  raceCode: FailureCode | '' = '';
  readonly #exchange: Exchange;
  #own: Try;
  #rival: Try | null = null;
  /** What the kept request tells servers. */
  #sentId: readonly [number, number];
  #told = 0;
  #queuedAtUs = -1;

  constructor(start: TraceStart, exchange: Exchange) {
    this.start = start;
    this.#exchange = exchange;
    this.id = start.newId();
    this.#own = { id: start.newId(), number: 1, connectUs: -1 };
    this.#sentId = this.#own.id;
  }

  /** The id that the present try's server is told. */
  get tryId(): readonly [number, number] {
    return this.#own.id;
  }

  queued(): void {
    this.#queuedAtUs = this.#since(this.start.nowUs());
  }

  unqueued(): void {
    if (this.#queuedAtUs < 0) return;
    const startUs = this.#queuedAtUs;
    this.#queuedAtUs = -1;
    this.#add(
      SpanKind.QUEUE,
      this.start.newId(),
      this.id,
      startUs,
      this.#since(this.start.nowUs()),
    );
  }

  /** A try after the first is about to be sent. */
  again(): void {
    const number = this.#exchange.attempts;
    if (this.#own.number === number) return;
    this.#own = { id: this.start.newId(), number, connectUs: -1 };
    this.start.onRenewed(this.#sentId, this.#own.id);
    this.#sentId = this.#own.id;
  }

  /** The present try gets a rival; the next one is begun by `again`. */
  race(): void {
    this.#rival = this.#own;
  }

  connected(isOwn: boolean, connectUs: number): void {
    if (isOwn) this.#own.connectUs = connectUs;
    else if (this.#rival !== null) this.#rival.connectUs = connectUs;
  }

  /** The present try is over and was no success. */
  failed(code: FailureCode): void {
    const { attemptAtUs, serverState, status } = this.#exchange;
    if (this.status === 0) this.status = status;
    this.#tell(this.#own, attemptAtUs, serverState, code, failureKind(code).retry === 'always');
  }

  /** The present try leaves a race; its rival goes on in its stead. */
  ownLeft(): void {
    const { attemptAtUs, serverState } = this.#exchange;
    this.#tell(this.#own, attemptAtUs, serverState, this.raceCode || 'hedge-lost', false);
    if (this.#rival !== null) this.#own = this.#rival;
    this.#rival = null;
    this.raceCode = '';
  }

  rivalLeft(attemptAtUs: number, state: ServerState): void {
    if (this.#rival === null) return;
    this.#tell(this.#rival, attemptAtUs, state, this.raceCode || 'hedge-lost', false);
    this.#rival = null;
    this.raceCode = '';
  }

  /** The request has ended. */
  end(): void {
    const { attempts, attemptAtUs, serverState, failure, isAnsweredHere, status } = this.#exchange;
    this.unqueued();
    if (this.#told >= attempts) return;
    if (!isAnsweredHere) this.status = status;
    this.#tell(this.#own, attemptAtUs, serverState, failure ?? '', false);
  }

  #tell(
    one: Try,
    attemptAtUs: number,
    state: ServerState | null,
    reason: string,
    hasFailedToDial: boolean,
  ): void {
    const startUs = this.#since(attemptAtUs);
    const endUs = this.#since(this.start.nowUs());
    const server = state?.server.address ?? '';
    this.#told++;
    const isConnected = this.status !== 0 || reason.startsWith('upstream-');
    const isReused = one.connectUs < 0 && !hasFailedToDial && isConnected;
    this.#add(SpanKind.TRY, one.id, this.id, startUs, endUs, {
      server,
      reason,
      isReused,
      number: one.number,
    });
    this.status = 0;
    if (one.connectUs < 0 && !hasFailedToDial) return;
    const dialledUs = one.connectUs < 0 ? endUs : Math.min(startUs + one.connectUs, endUs);
    const dialReason = one.connectUs < 0 ? reason : '';
    this.#add(SpanKind.DIAL, this.start.newId(), one.id, startUs, dialledUs, {
      server,
      reason: dialReason,
    });
  }

  #add(
    kind: number,
    id: readonly [number, number],
    parent: readonly [number, number],
    startUs: number,
    endUs: number,
    more: { server?: string; reason?: string; isReused?: boolean; number?: number } = {},
  ): void {
    this.spans.push({
      kind,
      id,
      parent,
      startUs,
      endUs,
      status: kind === SpanKind.TRY ? this.status : 0,
      tries: (more.number ?? 1) - 1,
      isReused: more.isReused === true,
      pool: this.#exchange.pool?.pool.name ?? '',
      server: more.server ?? '',
      reason: more.reason ?? '',
    });
  }

  /** The clock wraps. */
  #since(us: number): number {
    return Math.max((us - this.#exchange.startedAtUs) | 0, 0);
  }
}
