import type { FailureCode } from '../../model/failure.ts';
import { limits as fixedLimits } from '../../model/limits.ts';
import type { HeadLimits } from './head.ts';
import { ascii, Byte, targetClass, tokenClass } from './tokens.ts';

const httpSlash = ascii('HTTP/');
const httpOneDot = ascii('HTTP/1.');

/** Where in a head the next byte stands. */
const State = {
  BEFORE: 0,
  BEFORE_LF: 1,
  METHOD: 2,
  TARGET: 3,
  VERSION: 4,
  STATUS: 5,
  REASON: 6,
  START_LINE_LF: 7,
  LINE_START: 8,
  NAME: 9,
  LOOSE_NAME: 10,
  VALUE: 11,
  VALUE_LF: 12,
  LAST_LF: 13,
  DONE: 14,
  REFUSED: 15,
} as const;

/**
 * Finds the end of a head that arrives in pieces, in time proportional to the bytes: each byte is
 * looked at once,
 * and a head that the parser would refuse for its syntax or size is refused at the same byte with
 * the same
 * failure. What fields mean is left to the parser, which is called once when the head is whole.
 *
 *   BEFORE → METHOD → TARGET → VERSION ┐                     ┌→ LAST_LF → DONE
 *            STATUS → REASON → LF ─────┴→ LINE_START → NAME → VALUE → VALUE_LF ┐
 *                                             ↑──────────────────────────────┘
 */
export class HeadScanner {
  /** Why `push` returned -1; null before that. */
  failure: FailureCode | null = null;
  #limits: HeadLimits;
  readonly #isResponse: boolean;
  #state: number = State.BEFORE;
  /** Bytes of the head so far, leading empty lines not counted. */
  #sizeBytes = 0;
  /** Bytes of the element that is being read: method, target, version. */
  #inElement = 0;
  #emptyLines = 0;
  #fields = 0;

  constructor(limits: HeadLimits, isResponse = false) {
    this.#limits = limits;
    this.#isResponse = isResponse;
    this.reset(limits);
  }

  /** Ready for the next head; limits that are not given stay. */
  reset(limits: HeadLimits = this.#limits): void {
    this.#limits = limits;
    this.failure = null;
    this.#state = this.#isResponse ? State.STATUS : State.BEFORE;
    this.#sizeBytes = 0;
    this.#inElement = 0;
    this.#emptyLines = 0;
    this.#fields = 0;
  }

  /**
   * Takes the bytes `[start, end)` that follow those of the last call. Returns the offset in
   * `bytes` behind the
   * head's last LF, 0 while it is incomplete, or -1 with `failure` set (also on every later call).
   */
  push(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      // most bytes of a head are in values: they need no look at the state each
      if (this.#state === State.VALUE) at = this.#skipValue(bytes, at, end);
      if (at >= end) break;
      if (this.#sizeBytes >= this.#limits.headBytesMax) {
        const isTarget = this.#state === State.TARGET;
        return this.#refuse(isTarget ? 'target-too-long' : 'header-too-large');
      }
      this.#sizeBytes++;
      this.#state = this.#step(this.#state, bytes[at]!);
      if (this.#state === State.DONE) return at + 1;
      if (this.#state === State.REFUSED) return this.#refuse(this.failure ?? 'header-invalid');
    }
    return 0;
  }

  #skipValue(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#limits.headBytesMax - this.#sizeBytes);
    let at = start;
    let c = 0;
    while (at < stop && ((c = bytes[at]!) >= 0x20 ? c !== Byte.DELETE : c === Byte.HTAB)) at++;
    this.#sizeBytes += at - start;
    return at;
  }

  #refuse(failure: FailureCode): number {
    this.#state = State.REFUSED;
    this.failure = failure;
    if (this.#isResponse && !failure.startsWith('upstream-')) {
      const isSize = failure === 'header-too-large' || failure === 'too-many-headers';
      this.failure = isSize ? 'upstream-header-too-large' : 'upstream-response-invalid';
    }
    return -1;
  }

  #fail(failure: FailureCode): number {
    this.failure = failure;
    return State.REFUSED;
  }

  #step(state: number, c: number): number {
    if (state >= State.LINE_START) return this.#stepField(state, c);
    return state >= State.VERSION ? this.#stepLineEnd(state, c) : this.#stepRequestLine(state, c);
  }

  #stepRequestLine(state: number, c: number): number {
    if (state === State.BEFORE) {
      if (c === Byte.CR) return State.BEFORE_LF;
      this.#sizeBytes = 1;
      this.#inElement = 0;
      return this.#stepRequestLine(State.METHOD, c);
    }
    if (state === State.BEFORE_LF) {
      if (c !== Byte.LF || ++this.#emptyLines > fixedLimits.leadingEmptyLines) {
        return this.#fail('request-line-invalid');
      }
      this.#sizeBytes = 0;
      return State.BEFORE;
    }
    if (state === State.METHOD) {
      if (tokenClass[c] !== 0) {
        const isTooLong = ++this.#inElement > fixedLimits.methodBytes;
        return isTooLong ? this.#fail('method-unsupported') : State.METHOD;
      }
      if (c !== Byte.SPACE || this.#inElement === 0) return this.#fail('request-line-invalid');
      this.#inElement = 0;
      return State.TARGET;
    }
    if (targetClass[c] !== 0) {
      const isTooLong = ++this.#inElement > fixedLimits.targetBytes;
      return isTooLong ? this.#fail('target-too-long') : State.TARGET;
    }
    if (c !== Byte.SPACE || this.#inElement === 0) return this.#fail('target-invalid');
    this.#inElement = 0;
    return State.VERSION;
  }

  #stepLineEnd(state: number, c: number): number {
    if (state === State.VERSION) return this.#stepVersion(c);
    if (state === State.STATUS) return this.#stepStatus(c);
    if (state === State.REASON) {
      if (c === Byte.CR) return State.START_LINE_LF;
      const isText = c >= 0x20 ? c !== Byte.DELETE : c === Byte.HTAB;
      return isText ? State.REASON : this.#fail('upstream-response-invalid');
    }
    if (c === Byte.LF) return State.LINE_START;
    return this.#fail(this.#isResponse ? 'upstream-response-invalid' : 'request-line-invalid');
  }

  #isSupportedMajor = true;

  #stepVersion(c: number): number {
    const i = this.#inElement++;
    const isDigit = c >= Byte.ZERO && c <= Byte.NINE;
    let isRight: boolean;
    if (i < 5) isRight = c === httpSlash[i];
    else if (i === 6) isRight = c === Byte.DOT;
    else if (i === 8) isRight = c === Byte.CR;
    else if (i === 9) isRight = c === Byte.LF;
    else isRight = isDigit;
    if (!isRight) return this.#fail('request-line-invalid');
    if (i === 5) this.#isSupportedMajor = c === Byte.ZERO + 1;
    if (i < 9) return State.VERSION;
    return this.#isSupportedMajor ? State.LINE_START : this.#fail('version-unsupported');
  }

  #stepStatus(c: number): number {
    const i = this.#inElement++;
    if (i === 12) {
      if (c === Byte.SPACE) return State.REASON;
      return c === Byte.CR ? State.START_LINE_LF : this.#fail('upstream-response-invalid');
    }
    let isRight: boolean;
    if (i < 7) isRight = c === httpOneDot[i];
    else if (i === 8) isRight = c === Byte.SPACE;
    else if (i === 9) isRight = c >= Byte.ZERO + 1 && c <= Byte.ZERO + 5;
    else isRight = c >= Byte.ZERO && c <= Byte.NINE;
    return isRight ? State.STATUS : this.#fail('upstream-response-invalid');
  }

  #stepField(state: number, c: number): number {
    switch (state) {
      case State.LINE_START:
        if (tokenClass[c] !== 0) return State.NAME;
        return c === Byte.CR ? State.LAST_LF : this.#fail('header-invalid');
      case State.NAME:
        if (tokenClass[c] !== 0) return State.NAME;
        if (c === Byte.COLON) return State.VALUE;
        if (this.#isResponse && (c === Byte.SPACE || c === Byte.HTAB)) return State.LOOSE_NAME;
        return this.#fail('header-invalid');
      case State.LOOSE_NAME:
        if (c === Byte.COLON) return State.VALUE;
        if (c === Byte.SPACE || c === Byte.HTAB) return State.LOOSE_NAME;
        return this.#fail('header-invalid');
      case State.VALUE:
        if (c >= 0x20 ? c !== Byte.DELETE : c === Byte.HTAB) return State.VALUE;
        return c === Byte.CR ? State.VALUE_LF : this.#fail('header-invalid');
      case State.VALUE_LF:
        if (c !== Byte.LF) return this.#fail('header-invalid');
        if (this.#fields >= this.#limits.headFieldsMax) return this.#fail('too-many-headers');
        this.#fields++;
        return State.LINE_START;
      case State.LAST_LF:
        return c === Byte.LF ? State.DONE : this.#fail('header-invalid');
      case State.REFUSED:
        return this.#fail(this.failure ?? 'header-invalid');
      default:
        // DONE: the caller has not called reset(); nothing may follow a complete head
        return this.#fail('header-invalid');
    }
  }
}
