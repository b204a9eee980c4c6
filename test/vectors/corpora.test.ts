import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { Chunk, ChunkedDecoder } from '../../src/wire/http1/chunked.ts';
import { Framing } from '../../src/wire/http1/head.ts';
import { parseRequestHead } from '../../src/wire/http1/request-parser.ts';
import { parseResponseHead } from '../../src/wire/http1/response-parser.ts';
import { desyncDifferences, llhttpDifferences } from './corpora-differences.ts';
import { Head, Method, octets, testLimits } from './vector.ts';

const folder = process.env['EVENKEEL_VECTORS'] ?? '';
const skip = folder === '' ? 'EVENKEEL_VECTORS does not name the folder of the corpora' : false;
const head = new Head();

interface Message {
  readonly title: string;
  readonly type: string;
  readonly input: string;
  readonly llhttp: string;
}

/** Follows messages through `text` as a link would. Returns why it was refused, or null. */
function follow(text: string, isResponse: boolean): string | null {
  const bytes = octets(text);
  const decoder = new ChunkedDecoder();
  let at = 0;
  while (at < bytes.length) {
    const length = isResponse
      ? parseResponseHead(head, bytes, at, bytes.length, testLimits, Method.GET)
      : parseRequestHead(head, bytes, at, bytes.length, testLimits);
    if (length < 0) return head.failure;
    if (length === 0) return null;
    at += length;
    if (head.wantsClose && head.framing === Framing.NONE) return null;
    if (head.framing === Framing.LENGTH) at += head.contentLength;
    if (head.framing === Framing.CLOSE || head.hasUpgrade) return null;
    if (head.framing !== Framing.CHUNKED) continue;
    decoder.reset();
    while (at < bytes.length) {
      at += decoder.next(bytes, at, bytes.length);
      if (decoder.event === Chunk.REFUSED) return decoder.failure;
      if (decoder.event === Chunk.END) break;
    }
  }
  return null;
}

test('corpora: we refuse what llhttp refuses, and explain every other difference', { skip }, () => {
  const messages = JSON.parse(readFileSync(join(folder, 'llhttp-h1.json'), 'utf8')) as Message[];
  const unexplained: string[] = [];
  const used = new Set<string>();
  for (const { title, type, input, llhttp } of messages) {
    // lenient modes and pauses are settings of llhttp, not statements about the message
    if ((type !== 'request' && type !== 'response') || llhttp === 'pause/other') continue;
    // llhttp leaves Host to its caller: messages without one get one
    const text = /^host:/im.test(input)
      ? input
      : input.replaceAll(' HTTP/1.1\r\n', ' HTTP/1.1\r\nHost: lb.test\r\n');
    const ours = follow(type === 'request' ? text : input, type === 'response');
    if ((ours === null) === (llhttp === 'accept')) continue;
    const key = `${type}: ${title}`;
    used.add(key);
    if (llhttpDifferences[key] === undefined)
      unexplained.push(`${llhttp} ${key} → ${ours}: ${JSON.stringify(input.slice(0, 160))}`);
  }
  assert.deepEqual(unexplained, []);
  assert.deepEqual(
    Object.keys(llhttpDifferences).filter((key) => !used.has(key)),
    [],
    'stale',
  );
});

interface DesyncCase {
  readonly name: string;
  readonly uri: string;
  readonly method: string;
  readonly version: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[] | null;
  readonly expected: { readonly tier: string };
}

test('corpora: nothing ambiguous or severe is taken, all that is compliant is', { skip }, () => {
  const unexplained: string[] = [];
  const used = new Set<string>();
  let count = 0;
  for (const file of readdirSync(join(folder, 'http-desync-guardian'))) {
    if (!file.endsWith('.yaml')) continue;
    const cases = parse(
      readFileSync(join(folder, 'http-desync-guardian', file), 'utf8'),
    ) as DesyncCase[];
    for (const { name, uri, method, version, headers, expected } of cases) {
      count++;
      const lines = (headers ?? []).map((field) => `${field.name}:${field.value}`);
      // the corpus leaves Host out; its own Host fields stay alone
      if (!headers?.some((field) => /^host$/i.test(field.name))) lines.unshift('Host: lb.test');
      const text = [`${method} ${uri} ${version}`, ...lines, '', ''].join('\r\n');
      const ours = follow(Buffer.from(text, 'utf8').toString('latin1'), false);
      const isGood = expected.tier === 'Compliant';
      if (expected.tier === 'Acceptable' || (ours === null) === isGood) continue;
      const key = `${file}: ${name}`;
      used.add(key);
      if (desyncDifferences[key] === undefined)
        unexplained.push(
          `${expected.tier} ${key} → ${ours} ${JSON.stringify([method, uri, version, lines])}`,
        );
    }
  }
  assert.ok(count > 150, `${count}`);
  assert.deepEqual(unexplained, []);
  assert.deepEqual(
    Object.keys(desyncDifferences).filter((key) => !used.has(key)),
    [],
    'stale',
  );
});
