import { parseArgs } from 'node:util';
import { Chunk, ChunkedDecoder } from '../../src/wire/http1/chunked.ts';
import { chunkedVectors } from './chunked-bodies.ts';
import { checkRequest, checkResponse } from './codec-roundtrip.ts';
import { expectVectors, framingVectors } from './requests-framing.ts';
import { fieldVectors, requestLineVectors } from './requests-lines.ts';
import { hostVectors, targetVectors } from './requests-targets.ts';
import { responseVectors } from './responses.ts';
import { type HeadVector, octets, textOf } from './vector.ts';

/** Pieces of grammar that mutations insert: what smuggling has been made of. */
const pieces = [
  '\r\n',
  '\r',
  '\n',
  '\t',
  ' ',
  '\x00',
  '\x0b',
  '\x7f',
  '\xff',
  ':',
  ',',
  ';',
  '"',
  '%2e',
  '%2f',
  '%',
  '..',
  '/',
  '//',
  '?',
  '#',
  '@',
  '\\',
  '[::1]',
  '.',
  '_',
  '-',
  '0',
  '5',
  '+',
  '0x',
  'f',
  'chunked',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: evil\r\n',
  'Connection: close, x-a\r\n',
  'Connection: Upgrade\r\n',
  'Upgrade: websocket\r\n',
  'Expect: 100-continue\r\n',
  'X-Forwarded-For: 6.6.6.6\r\n',
  'Forwarded: for=x\r\n',
  'X-A: b\r\n',
  'Via: 1.1 x\r\n',
  'Max-Forwards: 3\r\n',
  'HTTP/1.1',
  'HTTP/1.0',
  'http://h',
  '*',
  'GET /admin HTTP/1.1\r\n\r\n',
  '0\r\n\r\n',
] as const;

/**
 * Every vector, those that are taken three times: most mutations of a refused head are refused for
 * the same fault.
 */
function seedsOf(vectors: readonly HeadVector[]): string[] {
  return vectors
    .filter(([, text]) => text.length < 1_000)
    .flatMap(([, text, outcome]) => (outcome === 'taken' ? [text, text, text] : [text]));
}

const requestSeeds = seedsOf(
  [
    requestLineVectors,
    fieldVectors,
    framingVectors,
    expectVectors,
    targetVectors,
    hostVectors,
  ].flat(),
);
/** Plain answers of servers, which the vectors of faults are not. */
const plainAnswers = [
  'HTTP/1.1 200 OK\r\nDate: x\r\nConnection: keep-alive\r\nContent-Length: 12\r\nKeep-Alive: timeout=5\r\nX-A: b\r\n\r\n',
  'HTTP/1.1 200 OK\r\nServer: a\r\nTransfer-Encoding: chunked\r\nDate: x\r\nX-A: b\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nDate: x\r\nETag: "a"\r\nConnection: close, x-a\r\nX-A: b\r\n\r\n',
];
const responseSeeds = [...seedsOf(responseVectors), ...Array(10).fill(plainAnswers).flat()];
const bodySeeds = chunkedVectors.map(([, text]) => text).filter((text) => text.length < 1_000);

/**
 * Pseudo-random integers below `bound` from a seed (xorshift32), so that a finding can be replayed.
 */
export function integersFrom(seed: number): (bound: number) => number {
  let state = seed | 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

function mutate(text: string, other: string, below: (bound: number) => number): string {
  let result = text;
  for (let left = 1 + below(3); left > 0; left--) {
    const at = below(result.length + 1);
    const length = below(8);
    const kind = below(6);
    if (kind === 0) result = result.slice(0, at) + result.slice(at + length);
    else if (kind === 1)
      result = result.slice(0, at) + pieces[below(pieces.length)] + result.slice(at);
    else if (kind === 2)
      result = result.slice(0, at) + String.fromCharCode(below(256)) + result.slice(at + 1);
    else if (kind === 3)
      result = result.slice(0, at) + result.slice(at, at + length) + result.slice(at);
    else if (kind === 4)
      result = result.slice(0, at) + pieces[below(pieces.length)] + result.slice(at + length);
    else result = result.slice(0, at) + other.slice(below(other.length + 1));
  }
  return result;
}

/** Content by `next` alone, or a word for how it ended otherwise. */
function decodeByEvents(text: string): string {
  const bytes = octets(text);
  const decoder = new ChunkedDecoder();
  let content = '';
  for (let at = 0; at < bytes.length; ) {
    at += decoder.next(bytes, at, bytes.length);
    if (decoder.event === Chunk.DATA) content += textOf(bytes, decoder.dataStart, decoder.dataEnd);
    if (decoder.event === Chunk.END) return `=${content}`;
    if (decoder.event === Chunk.REFUSED) return `refused ${content}`;
  }
  return `cut ${content}`;
}

/** Re-frames as the data plane does, with pieces of random size, and decodes what came out. */
export function reframeAndDecode(text: string, below: (bound: number) => number): string {
  const bytes = octets(text);
  const decoder = new ChunkedDecoder();
  let written = '';
  let word = '';
  for (let at = 0, end = 0; at < bytes.length && word === ''; ) {
    if (at === end) end = Math.min(bytes.length, end + 1 + below(bytes.length));
    const run = decoder.verbatimRun(bytes, at, end);
    written += textOf(bytes, at, at + run);
    at += run;
    if (decoder.event === Chunk.END) break;
    if (run > 0) continue;
    at += decoder.next(bytes, at, end);
    if (decoder.event === Chunk.DATA) {
      const data = textOf(bytes, decoder.dataStart, decoder.dataEnd);
      written += `${data.length.toString(16)}\r\n${data}\r\n`;
    } else if (decoder.event === Chunk.END) {
      written += '0\r\n\r\n';
      break;
    } else if (decoder.event === Chunk.REFUSED) word = 'refused';
  }
  const decoded = decodeByEvents(written);
  if (word === '') return decoded;
  // what was forwarded before the fault must be a proper beginning, never a complete body
  return decoded.startsWith('=') || decoded.startsWith('refused')
    ? `unsound ${decoded}`
    : decoded.replace('cut', word);
}

function checkBody(text: string, below: (bound: number) => number): void {
  const whole = decodeByEvents(text);
  const reframed = reframeAndDecode(text, below);
  if (whole !== reframed) throw new Error(`${JSON.stringify(text)}: ${whole} became ${reframed}`);
}

/**
 * Runs until `isOver` says so; returns how many heads and bodies were tried and taken. Throws at a
 * finding.
 */
export function fuzzCodec(
  seed: number,
  isOver: (tried: number) => boolean,
): { tried: number; taken: number } {
  const below = integersFrom(seed);
  let tried = 0;
  let taken = 0;
  const pick = (seeds: readonly string[]) => seeds[below(seeds.length)]!;
  while (!isOver(tried)) {
    tried++;
    const kind = below(3);
    if (kind === 0)
      taken += Number(checkRequest(mutate(pick(requestSeeds), pick(requestSeeds), below)));
    else if (kind === 1)
      taken += Number(checkResponse(mutate(pick(responseSeeds), pick(responseSeeds), below)));
    else checkBody(mutate(pick(bodySeeds), pick(bodySeeds), below), below);
  }
  return { tried, taken };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, seed: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const endMs = performance.now() + Number(values.seconds ?? 60) * 1_000;
  console.log(`seed ${seed}`);
  const { tried, taken } = fuzzCodec(
    seed,
    (count) => count % 256 === 0 && performance.now() > endMs,
  );
  console.log(`${tried} tried, ${taken} heads taken, nothing found`);
}
