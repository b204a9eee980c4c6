import type { Head } from '../wire/http1/head.ts';
import { escapedBytes, plainBytes, putOctets, putPlain } from './json-bytes.ts';
import type { LogLayout } from './log-layout.ts';

const METHOD = plainBytes(',"method":"');
const HOST = plainBytes('","host":"');
const PATH = plainBytes('","path":"');
const END = plainBytes('"');
const NOTHING = plainBytes(',"method":null,"host":null,"path":null');

/** Longest part that a line shows of a method, a host, a path: enough to recognise, short enough to bound a line. */
const METHOD_MAX = 32;
const HOST_MAX = 255;
const PATH_MAX = 2_048;

/**
 * What an access-log line will say of a request, taken while its head is at hand: the head's buffer is long
 * reused when the line is written. One per exchange, reused; grows to the longest note it had.
 */
export class LogNote {
  bytes: Uint8Array = new Uint8Array(256);
  length = 0;
  /** The layout that took the note and will write the line; null = the usual one. */
  layout: LogLayout | null = null;
  /** Where each fact of that layout ends in `bytes`, behind `length`; null until a layout makes it. */
  ends: Int32Array | null = null;
  /** The end of the last one. */
  totalLength = 0;

  take(head: Head): void {
    const methodEnd = Math.min(head.methodEnd, head.methodStart + METHOD_MAX);
    const hostEnd = Math.min(head.hostEnd, head.hostStart + HOST_MAX);
    const pathEnd = Math.min(head.pathEnd, head.pathStart + PATH_MAX);
    const octets =
      methodEnd - head.methodStart + hostEnd - head.hostStart + pathEnd - head.pathStart;
    const room = octets * escapedBytes + 40;
    if (room > this.bytes.length) this.bytes = new Uint8Array(room);
    const out = this.bytes;
    let to = putPlain(out, 0, METHOD);
    to = putOctets(out, to, head.bytes, head.methodStart, methodEnd);
    to = putPlain(out, to, HOST);
    to = putOctets(out, to, head.hostBytes, head.hostStart, hostEnd);
    to = putPlain(out, to, PATH);
    to = putOctets(out, to, head.pathBytes, head.pathStart, pathEnd);
    this.length = putPlain(out, to, END);
    this.layout = null;
  }

  /** There is no request to speak of: a tcp link, or bytes that were no request. */
  clear(layout: LogLayout | null): void {
    this.bytes.set(NOTHING);
    this.length = NOTHING.length;
    this.layout = null;
    if (layout !== null) layout.noteNothing(this);
  }
}
