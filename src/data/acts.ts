import { plainBytes } from './json-bytes.ts';

/** What was done with an exchange besides forwarding it, for its log line: bits of `Exchange.acts`. */
export const Act = {
  /** The fallback pool took the request. */
  FELL_BACK: 1,
  /** The client got an error page of the configuration. */
  ERROR_PAGE: 2,
  /** A copy went to the mirror. */
  MIRRORED: 4,
  /** A copy was to go there and did not. */
  MIRROR_DROPPED: 8,
  /** A second try was made beside a slow one. */
  HEDGED: 16,
  /** It answered first. */
  HEDGE_WON: 32,
} as const;

const words: readonly (readonly [bit: number, word: string])[] = [
  [Act.FELL_BACK, 'fallback'],
  [Act.ERROR_PAGE, 'error-page'],
  [Act.MIRRORED, 'mirror'],
  [Act.MIRROR_DROPPED, 'mirror-dropped'],
  [Act.HEDGED, 'hedge'],
  [Act.HEDGE_WON, 'hedge-won'],
];

/** `,"actions":["fallback"]` by the bits, made once. */
const texts: readonly Uint8Array[] = Array.from({ length: 1 << words.length }, (_, bits) => {
  const done = actWords(bits).map((word) => `"${word}"`);
  return plainBytes(bits === 0 ? '' : `,"actions":[${done.join(',')}]`);
});

/** What was done, in words. */
export function actWords(acts: number): readonly string[] {
  return words.filter(([bit]) => (acts & bit) !== 0).map(([, word]) => word);
}

/** The part of a log line that tells what was done; empty where nothing was. */
export function actsText(acts: number): Uint8Array {
  return texts[acts]!;
}
