import type { ExchangeFact } from '../model/log-form.ts';
import { actWords } from './acts.ts';
import type { Exchange } from './exchange.ts';
import { plainBytes, putHex, putMs, putNumber, putPlain } from './json-bytes.ts';
import type { LogClock } from './log-clock.ts';
import { putEscapedText } from './log-octets.ts';
import type { Plane } from './plane.ts';
import { hexWords } from './trace-parent.ts';

/** Upper bound of the bytes of one fact: a server's name, every letter escaped, is the longest. */
export const factBytesMax: number = 2_048;

const NULL = plainBytes('null');
const DASH = plainBytes('-');
const QUOTE = plainBytes('"');
const ZULU = plainBytes('Z');

/** Writes a fact of an ended exchange as a JSON value or as text, where `-` stands for what is not known. Returns the end. */
export function putFact(
  out: Uint8Array,
  at: number,
  exchange: Exchange,
  fact: ExchangeFact,
  isJson: boolean,
  plane: Plane,
  clock: LogClock,
): number {
  switch (fact) {
    case 'status':
      // Three digits, as readers of lines expect.
      if (!isJson && exchange.status === 0) return putEscapedText(out, at, '000', false);
      return putNumber(out, at, exchange.status);
    case 'bytesIn':
      return putNumber(out, at, exchange.requestBytes);
    case 'bytes':
      return putNumber(out, at, exchange.answerBytes);
    case 'attempts':
      return putNumber(out, at, exchange.attempts);
    case 'totalMs':
      return putPhase(out, at, exchange.totalUs(plane.driver), isJson);
    case 'connectMs':
      return putPhase(out, at, exchange.connectUs, isJson);
    case 'firstByteMs':
      return putPhase(out, at, exchange.firstByteUs, isJson);
    case 'queuedMs':
      return putMs(out, at, (exchange.failover.waitedMs * 1000) | 0);
    case 'actions':
      return putActions(out, at, exchange, isJson);
    case 'time':
    case 'commonTime':
    case 'id':
      return putStamp(out, at, exchange, fact, isJson, plane, clock);
    default:
      return putWord(out, at, wordOf(exchange, fact), isJson);
  }
}

function wordOf(
  exchange: Exchange,
  fact: Extract<
    ExchangeFact,
    'trace' | 'client' | 'listener' | 'route' | 'pool' | 'server' | 'reason'
  >,
): string | null {
  switch (fact) {
    case 'trace':
      return exchange.trace === null ? null : hexWords(exchange.trace.start.trace);
    case 'client':
      return exchange.clientAddress;
    case 'listener':
      return exchange.listener!.listener.name;
    case 'route':
      return exchange.route?.route.name ?? null;
    case 'pool':
      return exchange.pool?.pool.name ?? null;
    case 'server':
      return exchange.serverState?.server.address ?? null;
    case 'reason':
      return exchange.failure ?? 'ok';
  }
}

function putWord(out: Uint8Array, at: number, word: string | null, isJson: boolean): number {
  if (word === null) return putPlain(out, at, isJson ? NULL : DASH);
  const to = isJson ? putPlain(out, at, QUOTE) : at;
  const end = putEscapedText(out, to, word, isJson);
  return isJson ? putPlain(out, end, QUOTE) : end;
}

function putStamp(
  out: Uint8Array,
  at: number,
  exchange: Exchange,
  fact: 'time' | 'commonTime' | 'id',
  isJson: boolean,
  plane: Plane,
  clock: LogClock,
): number {
  let to = isJson ? putPlain(out, at, QUOTE) : at;
  if (fact === 'time') to = putPlain(out, clock.putIso(out, to), ZULU);
  else if (fact === 'commonTime') to = clock.putCommon(out, to);
  else to = putHex(out, putHex(out, to, plane.requestIdPrefix), exchange.requestNumber);
  return isJson ? putPlain(out, to, QUOTE) : to;
}

function putPhase(out: Uint8Array, at: number, us: number, isJson: boolean): number {
  if (us >= 0) return putMs(out, at, us);
  return putPlain(out, at, isJson ? NULL : DASH);
}

function putActions(out: Uint8Array, at: number, exchange: Exchange, isJson: boolean): number {
  const words = actWords(exchange.acts);
  if (isJson) return putPlain(out, at, plainBytes(JSON.stringify(words)));
  return putWord(out, at, words.length === 0 ? null : words.join(','), false);
}
