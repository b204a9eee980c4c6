import type { Head } from '../wire/http1/head.ts';

const NAME = 'retry-after';

/**
 * What an answer's `Retry-After` asks for in ms from `wallMs`, 0 when it asks for nothing that can be read
 * (RFC 9110 §10.2.3: seconds, or a date). Cost: one pass over the fields; failing answers only.
 */
export function retryAfterMs(head: Head, wallMs: number): number {
  const { bytes, fields } = head;
  for (let i = 0; i < head.fieldCount; i++) {
    const at = i * 4;
    if (fields[at + 1]! - fields[at]! !== NAME.length) continue;
    if (textOf(bytes, fields[at]!, fields[at + 1]!).toLowerCase() !== NAME) continue;
    return readMs(textOf(bytes, fields[at + 2]!, fields[at + 3]!), wallMs);
  }
  return 0;
}

function readMs(text: string, wallMs: number): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // Only the forms of an HTTP date: `Date.parse` alone would take much else.
  if (!/^[A-Z][a-z]{2,8},? .{8,32}$/.test(text)) return 0;
  // Of the three forms only asctime's has no zone, and it is GMT all the same (RFC 9110 §5.6.7).
  const at = Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
  return Number.isNaN(at) ? 0 : Math.max(0, at - wallMs);
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, 64)).toString(
    'latin1',
  );
}
