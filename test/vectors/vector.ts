import type { FailureCode } from '../../src/model/failure.ts';
import { Head, Method } from '../../src/wire/http1/head.ts';
import { HeadScanner } from '../../src/wire/http1/head-scanner.ts';
import { parseRequestHead } from '../../src/wire/http1/request-parser.ts';
import { parseResponseHead } from '../../src/wire/http1/response-parser.ts';

/** What a head comes to: taken, not yet whole, or refused with this code. */
export type Outcome = 'taken' | 'incomplete' | FailureCode;

/**
 * Name, octets as latin-1, outcome. A request without a Host line of its own gets one by
 * `withHost`.
 */
export type HeadVector = readonly [name: string, octets: string, outcome: Outcome];

/** Name, octets of a chunked body, the decoded content or the code. */
export type BodyVector = readonly [
  name: string,
  octets: string,
  outcome: { readonly content: string } | FailureCode,
];

/** Limits of the tests: the defaults. */
export const testLimits = { headBytesMax: 32_768, headFieldsMax: 100 } as const;

/** The octets of a latin-1 text. */
export function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** The latin-1 text of a span. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** A request with a Host line and these lines (each without its line end). */
export function withHost(requestLine: string, ...lines: readonly string[]): string {
  return [requestLine, 'Host: lb.test', ...lines, '', ''].join('\r\n');
}

/** What `octets` come to in one piece. `method` set: a response to that method. */
export function wholeOutcome(head: Head, text: string, method: number = 0): Outcome {
  const bytes = octets(text);
  const length =
    method > 0
      ? parseResponseHead(head, bytes, 0, bytes.length, testLimits, method)
      : parseRequestHead(head, bytes, 0, bytes.length, testLimits);
  if (length > 0) return 'taken';
  return length === 0 ? 'incomplete' : head.failure!;
}

/**
 * What they come to when they arrive as `[0, split)` and `[split, end)`: by the scanner, then by
 * the parser once.
 */
export function splitOutcome(head: Head, text: string, split: number, method = 0): Outcome {
  const bytes = octets(text);
  const scanner = new HeadScanner(testLimits, method > 0);
  let end = scanner.push(bytes, 0, split);
  if (end === 0) end = scanner.push(bytes, split, bytes.length);
  if (end < 0) return scanner.failure!;
  if (end === 0) return 'incomplete';
  const length =
    method > 0
      ? parseResponseHead(head, bytes, 0, end, testLimits, method)
      : parseRequestHead(head, bytes, 0, end, testLimits);
  if (length > 0) return length === end ? 'taken' : 'incomplete';
  return length === 0 ? 'incomplete' : head.failure!;
}

export { Head, Method };
