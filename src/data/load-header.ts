import { noteToldLoad, type ToldLoadWords } from '../balance/told-load.ts';
import type { Head } from '../wire/http1/head.ts';
import { ascii, spanIs } from '../wire/http1/tokens.ts';

const plainName = ascii('x-load');
const orcaName = ascii('endpoint-load-metrics');
/** Longer values are none of ours. */
const VALUE_BYTES_MAX = 1_024;

/**
 * Notes the load that an answer's head tells: `X-Load: 0.73` or `73%`, or ORCA's text form
 * `endpoint-load-metrics: TEXT cpu_utilization=0.3, application_utilization=0.7`. Whatever cannot be
 * read counts as not told.
 */
export function noteLoadHeader(words: ToldLoadWords, slot: number, head: Head): void {
  const { bytes, fields, fieldCount } = head;
  for (let at = 0; at < fieldCount * 4; at += 4) {
    const isPlain = spanIs(bytes, fields[at]!, fields[at + 1]!, plainName);
    if (!isPlain && !spanIs(bytes, fields[at]!, fields[at + 1]!, orcaName)) continue;
    const start = fields[at + 2]!;
    const end = fields[at + 3]!;
    if (end - start > VALUE_BYTES_MAX) return;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString(
      'latin1',
    );
    const load = isPlain ? parsePlainLoad(text) : parseOrcaLoad(text);
    if (load !== null) noteToldLoad(words, slot, load);
    return;
  }
}

/** `0.73` or `73%`; null for anything else. */
export function parsePlainLoad(text: string): number | null {
  const match = /^(\d{1,6}(?:\.\d{1,9})?)(%?)$/.exec(text.trim());
  if (match === null) return null;
  return match[2] === '%' ? Number(match[1]) / 100 : Number(match[1]);
}

/** What the application says of itself, else its CPU. Source: xDS ORCA, gRFC A51 and A58. */
export function parseOrcaLoad(text: string): number | null {
  if (!text.startsWith('TEXT ')) return null;
  let cpu: number | null = null;
  for (const pair of text.slice(5).split(',')) {
    const [name, value] = pair.split('=');
    const load = parsePlainLoad(value ?? '');
    if (load === null || load <= 0) continue;
    if (name!.trim() === 'application_utilization') return load;
    if (name!.trim() === 'cpu_utilization') cpu = load;
  }
  return cpu;
}
