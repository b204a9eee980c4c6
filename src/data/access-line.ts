import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/** Bytes after which a batch of lines leaves at once instead of at the next tick. */
const BATCH_CHARS = 65_536;
/** Lines wait for one message to control; above this they are dropped and counted. */
const PENDING_CHARS_MAX = 1_048_576;

/** Gathers access-log lines of one worker and hands them to control in batches. */
export class AccessLines {
  readonly #plane: Plane;
  #lines = '';
  #count = 0;
  #dropped = 0;

  constructor(plane: Plane) {
    this.#plane = plane;
  }

  add(exchange: Exchange): void {
    if (this.#lines.length > PENDING_CHARS_MAX) {
      this.#dropped++;
      return;
    }
    this.#lines += accessLine(this.#plane, exchange);
    this.#count++;
    if (this.#lines.length > BATCH_CHARS) this.flush();
  }

  /** Called at every tick. */
  flush(): void {
    if (this.#count === 0 && this.#dropped === 0) return;
    this.#plane.post({
      type: 'log',
      lines: this.#lines,
      count: this.#count,
      dropped: this.#dropped,
    });
    this.#lines = '';
    this.#count = 0;
    this.#dropped = 0;
  }
}

/** One JSON object, ended by LF. Times in ms with three decimals; `null` where a phase was not reached. */
export function accessLine(plane: Plane, exchange: Exchange): string {
  const totalMs = plane.driver.now() - exchange.startedAtMs;
  const server = exchange.pool?.servers.get(exchange.lastSlot)?.server.address ?? null;
  return `{"time":"${new Date(plane.wallClock()).toISOString()}","id":"${exchange.requestId}","client":"${
    exchange.clientAddress
  }","listener":"${exchange.listener!.listener.name}","method":${text(exchange.methodText)},"host":${text(
    exchange.hostText,
  )},"path":${text(exchange.pathText)},"status":${exchange.status},"bytesIn":${
    exchange.requestBytes
  },"bytes":${exchange.answerBytes},"totalMs":${ms(totalMs)},"connectMs":${ms(
    exchange.connectMs,
  )},"firstByteMs":${ms(exchange.firstByteMs)},"route":${text(exchange.route?.route.name ?? null)},"pool":${text(
    exchange.pool?.pool.name ?? null,
  )},"server":${text(server)},"attempts":${exchange.attempts},"reason":"${exchange.failure ?? 'ok'}"}\n`;
}

function text(value: string | null): string {
  return value === null ? 'null' : JSON.stringify(value);
}

function ms(value: number): string {
  return value < 0 ? 'null' : value.toFixed(3);
}
