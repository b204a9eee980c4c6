const LF = 10;
const CR = 13;
const LETTER_C = 'c'.charCodeAt(0);
const COLON = ':'.charCodeAt(0);
const DIGIT_0 = '0'.charCodeAt(0);
const LOWER = 0x20;
const NAME = 'content-length';

/** Where the status stands: `HTTP/1.1 200`. */
const STATUS_AT = 9;

/**
 * Reads the head of an answer that begins at `start`, as far as simulated clients need it. One object, refilled:
 * an answer is read by its bytes, since texts and patterns took a tenth of a simulation.
 */
export class AnswerHead {
  status = 0;
  contentLength = 0;

  /** Index behind the head; -1 when its end has not come yet. */
  read(bytes: Uint8Array, start: number, end: number): number {
    this.contentLength = 0;
    let lineAt = start;
    for (let at = start; at < end; at++) {
      if (bytes[at] !== LF) continue;
      const length = at - lineAt - (bytes[at - 1] === CR ? 1 : 0);
      if (length === 0) {
        this.status = digits(bytes, start + STATUS_AT, start + STATUS_AT + 3);
        return at + 1;
      }
      if ((bytes[lineAt]! | LOWER) === LETTER_C && isNameAt(bytes, lineAt, length)) {
        this.contentLength = digits(bytes, lineAt + NAME.length + 1, lineAt + length);
      }
      lineAt = at + 1;
    }
    return -1;
  }
}

function isNameAt(bytes: Uint8Array, at: number, length: number): boolean {
  if (length <= NAME.length || bytes[at + NAME.length] !== COLON) return false;
  for (let i = 0; i < NAME.length; i++) {
    if ((bytes[at + i]! | LOWER) !== (NAME.charCodeAt(i) | LOWER)) return false;
  }
  return true;
}

/** The number that the digits of a span make. */
function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
  }
  return value;
}
