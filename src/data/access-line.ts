import { type FailureCode, failures } from '../model/failure.ts';
import { actsText } from './acts.ts';
import type { Exchange } from './exchange.ts';
import { plainBytes, putHex, putMs, putNumber, putPlain, putText } from './json-bytes.ts';
import { LogClock } from './log-clock.ts';
import type { LogLayout } from './log-layout.ts';
import type { Plane } from './plane.ts';

/** A batch of lines leaves when it is this long, or at the next tick. */
const BATCH_BYTES = 65_536;
/** Above any line: notes are bounded, names and addresses are short. Asserted by a test. */
const LINE_BYTES_MAX = 32_768;

const TIME = plainBytes('{"time":"');
const ID = plainBytes('Z","id":"');
const CLIENT = plainBytes('","client":"');
const LISTENER = plainBytes('","listener":"');
const QUOTE = plainBytes('"');
const STATUS = plainBytes(',"status":');
const BYTES_IN = plainBytes(',"bytesIn":');
const BYTES = plainBytes(',"bytes":');
const TOTAL = plainBytes(',"totalMs":');
const CONNECT = plainBytes(',"connectMs":');
const FIRST_BYTE = plainBytes(',"firstByteMs":');
const ROUTE = plainBytes(',"route":');
const POOL = plainBytes(',"pool":');
const SERVER = plainBytes(',"server":');
const ATTEMPTS = plainBytes(',"attempts":');
const QUEUED = plainBytes(',"queuedMs":');
const REASON = plainBytes(',"reason":"');
const END = plainBytes('"}\n');
const NULL = plainBytes('null');
const OK = plainBytes('ok');
const reasons: ReadonlyMap<string, Uint8Array> = new Map(
  Object.keys(failures).map((code) => [code, plainBytes(code)]),
);

/**
 * Writes access-log lines of one worker as bytes into a batch and hands batches to control. No strings:
 * with them the line was most of the JavaScript of an exchange (exchange.bench.ts, realistic: 12.6 µs, with bytes 5).
 */
export class AccessLines {
  readonly #plane: Plane;
  readonly #send: (lines: Uint8Array, count: number) => void;
  #batch: Uint8Array = new Uint8Array(BATCH_BYTES + LINE_BYTES_MAX);
  #length = 0;
  #count = 0;
  readonly #clock: LogClock;

  /** `send` takes a batch of complete lines. */
  constructor(plane: Plane, send: (lines: Uint8Array, count: number) => void) {
    this.#plane = plane;
    this.#send = send;
    this.#clock = new LogClock(plane.wallClock);
  }

  /** The usual line. */
  add(exchange: Exchange): void {
    this.#length = this.#line(this.#batch, this.#length, exchange);
    this.#count++;
    if (this.#length > BATCH_BYTES) this.flush();
  }

  /** The line that the layout of its note wants, if any. */
  addAsWanted(exchange: Exchange): void {
    const { layout } = exchange.note;
    if (layout === null) this.add(exchange);
    else if (layout.wants(this.#plane, exchange)) {
      if (layout.isUsual) this.add(exchange);
      else this.#addLaidOut(exchange, layout);
    }
  }

  #addLaidOut(exchange: Exchange, layout: LogLayout): void {
    const most = layout.bytesMax(exchange.note);
    if (this.#length + most > this.#batch.length) this.flush();
    if (most > this.#batch.length) this.#batch = new Uint8Array(BATCH_BYTES + most);
    this.#length = layout.write(this.#batch, this.#length, exchange, this.#plane, this.#clock);
    this.#count++;
    if (this.#length > BATCH_BYTES) this.flush();
  }

  /** Called at every tick. */
  flush(): void {
    if (this.#count === 0) return;
    const lines = this.#batch.slice(0, this.#length);
    this.#send(lines, this.#count);
    this.#length = 0;
    this.#count = 0;
  }

  /** One JSON object, ended by LF. Times in ms with three decimals; `null` where a phase was not reached. */
  #line(out: Uint8Array, at: number, exchange: Exchange): number {
    const plane = this.#plane;
    let to = this.#clock.putIso(out, putPlain(out, at, TIME));
    to = putPlain(out, to, ID);
    to = putHex(out, putHex(out, to, plane.requestIdPrefix), exchange.requestNumber);
    to = putText(out, putPlain(out, to, CLIENT), exchange.clientAddress);
    to = putText(out, putPlain(out, to, LISTENER), exchange.listener!.listener.name);
    to = putPlain(out, to, QUOTE);
    const { bytes, length } = exchange.note;
    for (let i = 0; i < length; i++) out[to++] = bytes[i]!;
    to = putNumber(out, putPlain(out, to, STATUS), exchange.status);
    to = putNumber(out, putPlain(out, to, BYTES_IN), exchange.requestBytes);
    to = putNumber(out, putPlain(out, to, BYTES), exchange.answerBytes);
    to = putPhase(out, putPlain(out, to, TOTAL), exchange.totalUs(plane.driver));
    to = putPhase(out, putPlain(out, to, CONNECT), exchange.connectUs);
    to = putPhase(out, putPlain(out, to, FIRST_BYTE), exchange.firstByteUs);
    to = putName(out, putPlain(out, to, ROUTE), exchange.route?.route.name);
    to = putName(out, putPlain(out, to, POOL), exchange.pool?.pool.name);
    to = putName(out, putPlain(out, to, SERVER), exchange.serverState?.server.address);
    to = putNumber(out, putPlain(out, to, ATTEMPTS), exchange.attempts);
    if (exchange.acts !== 0) to = putPlain(out, to, actsText(exchange.acts));
    const { waitedMs } = exchange.failover;
    if (waitedMs > 0) to = putMs(out, putPlain(out, to, QUEUED), (waitedMs * 1000) | 0);
    to = putPlain(out, putPlain(out, to, REASON), reasonBytes(exchange.failure));
    return putPlain(out, to, END);
  }
}

function putPhase(out: Uint8Array, at: number, us: number): number {
  return us < 0 ? putPlain(out, at, NULL) : putMs(out, at, us);
}

function putName(out: Uint8Array, at: number, name: string | undefined): number {
  if (name === undefined) return putPlain(out, at, NULL);
  return putPlain(out, putText(out, putPlain(out, at, QUOTE), name), QUOTE);
}

function reasonBytes(code: FailureCode | null): Uint8Array {
  return code === null ? OK : reasons.get(code)!;
}
