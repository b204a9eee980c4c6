/** What a `traceparent` says (W3C Trace Context, level 1, §3.2). Ids are words of 32 bits. */
export interface TraceParent {
  readonly trace: readonly [number, number, number, number];
  readonly span: readonly [number, number];
  readonly isSampled: boolean;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads the value of a `traceparent` field; null for one that is not valid. Later versions are read as far as they are known. */
export function readTraceParent(text: string): TraceParent | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, version, trace = '', span = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  const word = (of: string, at: number): number => Number.parseInt(of.slice(at, at + 8), 16);
  const words = [word(trace, 0), word(trace, 8), word(trace, 16), word(trace, 24)] as const;
  const spanWords = [word(span, 0), word(span, 8)] as const;
  if (words.every((one) => one === 0) || spanWords.every((one) => one === 0)) return null;
  return { trace: words, span: spanWords, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Words of 32 bits in hexadecimal digits. */
export function hexWords(words: readonly number[]): string {
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}
