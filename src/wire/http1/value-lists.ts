import { ascii, Byte, spanIs, tokenClass } from './tokens.ts';

const chunked = ascii('chunked');

/** Is the value exactly the token `chunked`, in any case? */
export function isChunkedAlone(bytes: Uint8Array, start: number, end: number): boolean {
  return spanIs(bytes, start, end, chunked);
}

/**
 * Is it a clean list of other plain codings with `chunked` last, so that its length would be known
 * to who knows the
 * codings (RFC 9112 §6.1: 501)? Everything else leaves the length unknown (§6.3: 400).
 */
export function isChunkedLast(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  let isLast = false;
  while (at < end) {
    const tokenStart = at;
    while (at < end && tokenClass[bytes[at]!] !== 0) at++;
    if (at === tokenStart || isLast) return false;
    isLast = spanIs(bytes, tokenStart, at, chunked);
    at = skipBlank(bytes, at, end);
    if (at === end) return isLast;
    if (bytes[at] !== Byte.COMMA) return false;
    at = skipBlank(bytes, at + 1, end);
  }
  return false;
}

/** Is `lower` a member of this comma-separated list of tokens, whatever case? */
export function listHas(bytes: Uint8Array, start: number, end: number, lower: Uint8Array): boolean {
  let at = start;
  while (at < end) {
    at = skipBlank(bytes, at, end);
    const tokenStart = at;
    while (at < end && bytes[at] !== Byte.COMMA) at++;
    let tokenEnd = at;
    while (tokenEnd > tokenStart && isBlank(bytes[tokenEnd - 1]!)) tokenEnd--;
    if (spanIs(bytes, tokenStart, tokenEnd, lower)) return true;
    at++;
  }
  return false;
}

function isBlank(byte: number): boolean {
  return byte === Byte.SPACE || byte === Byte.HTAB;
}

function skipBlank(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at++;
  return at;
}
