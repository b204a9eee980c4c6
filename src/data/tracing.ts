import { mix32 } from '../base/hash.ts';
import { limits } from '../model/limits.ts';
import {
  type SpanBatch,
  SpanKind,
  SpanNumber,
  SpanWord,
  spanNumbers,
  spanWords,
  type TraceRule,
} from '../model/spans.ts';
import type { Head } from '../wire/http1/head.ts';
import { foldedName, type HeadEdits } from '../wire/http1/head-edits.ts';
import { ascii } from '../wire/http1/tokens.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';
import { fieldText, latin1, pathText } from './request-text.ts';
import { type EndedSpan, Trace } from './trace.ts';
import { hexWords, readTraceParent, type TraceParent } from './trace-parent.ts';

const PARENT_ONLY = [foldedName('traceparent')];
const PARENT_AND_STATE = [foldedName('traceparent'), foldedName('tracestate')];
const NO_SERVER: readonly [number, number] = [0, 0];

/**
 * Traces of one worker: decides, tells servers, gathers spans. Made only where tracing is configured; what is not
 * sampled costs its `traceparent`.
 */
export class Tracing {
  rule: TraceRule;
  readonly #plane: Plane;
  /** Makes ids of workers that happen to have one seed differ. */
  readonly #salt: readonly [number, number];
  #numbers: number[] = [];
  #words: string[] = [];
  #dropped = 0;
  /** Traces that have begun and not ended. */
  #running = 0;

  constructor(plane: Plane, rule: TraceRule) {
    this.#plane = plane;
    this.rule = rule;
    const startedMs = plane.wallClock();
    this.#salt = [mix32(startedMs | 0), mix32(((startedMs / 2 ** 32) | 0) ^ (plane.worker << 16))];
  }

  /** It was turned off, and the last of its traces has ended: exchanges need not pass it any more. */
  get isOver(): boolean {
    return this.#plane.tracing === null && this.#running === 0;
  }

  /** A request is about to be written for servers: what its head is to say besides `edits`. */
  begin(
    exchange: Exchange,
    head: Head,
    edits: HeadEdits | null,
    isTrustedPeer: boolean,
  ): HeadEdits | null {
    const parent = this.#parentOf(head, isTrustedPeer);
    // Somebody decided against it: what he said goes on as it is.
    if (parent !== null && !parent.isSampled) return edits;
    const trace = parent?.trace ?? this.#newTrace();
    let line: string;
    if (parent === null && this.#plane.random() >= this.rule.share) {
      line = `traceparent: 00-${hexWords(trace)}-${hexWords(this.#newId())}-00\r\n`;
    } else {
      exchange.trace = this.#traceOf(exchange, head, trace, parent);
      line = `traceparent: 00-${hexWords(trace)}-${hexWords(exchange.trace.tryId)}-01\r\n`;
    }
    const drops = parent === null ? PARENT_AND_STATE : PARENT_ONLY;
    if (edits === null) return { drops, lines: ascii(line), host: null };
    const lines = new Uint8Array(edits.lines.length + line.length);
    lines.set(edits.lines);
    lines.set(ascii(line), edits.lines.length);
    return { drops: [...edits.drops, ...drops], lines, host: edits.host };
  }

  /** A request that no server will get. */
  beginHere(exchange: Exchange, head: Head, isTrustedPeer: boolean): void {
    const parent = this.#parentOf(head, isTrustedPeer);
    const isSampled = parent?.isSampled ?? this.#plane.random() < this.rule.share;
    if (!isSampled) return;
    exchange.trace = this.#traceOf(exchange, head, parent?.trace ?? this.#newTrace(), parent);
  }

  /** An exchange has ended. */
  end(exchange: Exchange): void {
    const { trace } = exchange;
    if (trace === null) return;
    exchange.trace = null;
    this.#running--;
    trace.end();
    if (this.#numbers.length >= limits.spansPerTick * spanNumbers) {
      this.#dropped += trace.spans.length + 1;
      return;
    }
    const totalUs = exchange.totalUs(this.#plane.driver);
    const startUs = Math.round(this.#plane.wallClock() * 1000) - totalUs;
    this.#addRequest(exchange, trace, startUs, totalUs);
    for (const span of trace.spans) this.#addPart(trace, span, startUs);
  }

  /** Called at every tick. */
  flush(): void {
    if (this.#numbers.length === 0 && this.#dropped === 0) return;
    const batch: SpanBatch = {
      numbers: Float64Array.from(this.#numbers),
      words: this.#words,
      dropped: this.#dropped,
    };
    this.#numbers = [];
    this.#words = [];
    this.#dropped = 0;
    this.#plane.post({ type: 'spans', batch });
  }

  #addRequest(exchange: Exchange, trace: Trace, startUs: number, totalUs: number): void {
    const { start } = trace;
    const at = this.#addRow(SpanKind.REQUEST, trace, trace.id, start.parent ?? NO_SERVER);
    this.#numbers[at + SpanNumber.START] = startUs;
    this.#numbers[at + SpanNumber.END] = startUs + totalUs;
    this.#numbers[at + SpanNumber.STATUS] = exchange.status;
    this.#numbers[at + SpanNumber.TRIES] = exchange.attempts;
    this.#numbers[at + SpanNumber.FLAG] = start.parent === null ? 0 : 1;
    const words = this.#words.length - spanWords;
    this.#words[words + SpanWord.POOL] = exchange.pool?.pool.name ?? '';
    this.#words[words + SpanWord.REASON] = exchange.failure ?? '';
    this.#words[words + SpanWord.METHOD] = start.method;
    this.#words[words + SpanWord.HOST] = start.host;
    this.#words[words + SpanWord.PATH] = start.path;
    this.#words[words + SpanWord.ROUTE] = exchange.route?.route.name ?? '';
    this.#words[words + SpanWord.LISTENER] = exchange.listener!.listener.name;
    this.#words[words + SpanWord.CLIENT] = exchange.clientAddress;
    const { requestNumber } = exchange;
    if (requestNumber < 0) return;
    this.#words[words + SpanWord.REQUEST_ID] = this.#plane.requestIdText(requestNumber);
  }

  #addPart(trace: Trace, span: EndedSpan, requestStartUs: number): void {
    const at = this.#addRow(span.kind, trace, span.id, span.parent);
    this.#numbers[at + SpanNumber.START] = requestStartUs + span.startUs;
    this.#numbers[at + SpanNumber.END] = requestStartUs + span.endUs;
    this.#numbers[at + SpanNumber.STATUS] = span.status;
    this.#numbers[at + SpanNumber.TRIES] = span.tries;
    this.#numbers[at + SpanNumber.FLAG] = Number(span.isReused);
    const words = this.#words.length - spanWords;
    this.#words[words + SpanWord.POOL] = span.pool;
    this.#words[words + SpanWord.SERVER] = span.server;
    this.#words[words + SpanWord.REASON] = span.reason;
  }

  #addRow(
    kind: number,
    trace: Trace,
    id: readonly [number, number],
    parent: readonly [number, number],
  ): number {
    const at = this.#numbers.length;
    this.#numbers.push(kind, ...trace.start.trace, ...id, ...parent, 0, 0, 0, 0, 0);
    for (let i = 0; i < spanWords; i++) this.#words.push('');
    return at;
  }

  #traceOf(
    exchange: Exchange,
    head: Head,
    trace: TraceParent['trace'],
    parent: TraceParent | null,
  ): Trace {
    const start = {
      trace,
      parent: parent?.span ?? null,
      method: latin1(head.bytes, head.methodStart, head.methodEnd),
      host: latin1(head.hostBytes, head.hostStart, head.hostEnd),
      path: pathText(head),
      newId: () => this.#newId(),
      nowUs: () => this.#plane.driver.nowUs(),
      onRenewed: (from: readonly [number, number], to: readonly [number, number]) =>
        exchange.replaceKept(ascii(hexWords(from)), ascii(hexWords(to))),
    };
    this.#running++;
    return new Trace(start, exchange);
  }

  #parentOf(head: Head, isTrustedPeer: boolean): TraceParent | null {
    const { parents } = this.rule;
    if (parents === 'none' || (parents === 'trusted' && !isTrustedPeer)) return null;
    const text = fieldText(head, 'traceparent');
    return text === null ? null : readTraceParent(text);
  }

  #newTrace(): TraceParent['trace'] {
    const [first, second] = this.#newId();
    return [first, second, this.#word(), this.#word()];
  }

  /** Never all zero. */
  #newId(): readonly [number, number] {
    const [first, second] = this.#salt;
    return [(this.#word() ^ first) >>> 0, ((this.#word() ^ second) | 1) >>> 0];
  }

  #word(): number {
    return (this.#plane.random() * 2 ** 32) >>> 0;
  }
}
