import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Chunk, ChunkedDecoder } from './chunked.ts';
import { chunkLineBytesMax, lastChunk, writeChunkLine } from './write-bytes.ts';

const octets = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const seed = Number(process.env['EVENKEEL_FUZZ_SEED'] ?? 20_261_121);

/** Length of the verbatim run of a fresh decoder. */
function runOf(text: string): number {
  const decoder = new ChunkedDecoder();
  decoder.reset();
  return decoder.verbatimRun(octets(text), 0, text.length);
}

test('verbatimRun() takes canonical framing and the end', () => {
  const decoder = new ChunkedDecoder();
  const text = '5\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\nNEXT';
  assert.equal(decoder.verbatimRun(octets(text), 0, text.length), text.length - 4);
  assert.equal(decoder.event, Chunk.END);
});

test('verbatimRun() stops before what is not canonical or not whole', () => {
  const first = '5\r\nhello\r\n';
  for (const rest of [
    '05\r\nhello\r\n',
    '5;a\r\n',
    '5',
    '5\r',
    '',
    '0\r\nX: a\r\n\r\n',
    '0\r\n',
    '0\r\n\r',
    'g',
  ]) {
    assert.equal(runOf(first + rest), first.length, JSON.stringify(rest));
  }
  assert.equal(runOf('20000000000000\r\n'), 0, '14 digits');
  assert.equal(runOf('5\r\nhelloXX'), 8, 'up to the fault');
});

test('verbatimRun() goes on inside a chunk that it began', () => {
  const decoder = new ChunkedDecoder();
  const text = '5\r\nhello\r\n0\r\n\r\n';
  const bytes = octets(text);
  for (let split = 4; split < 10; split++) {
    decoder.reset();
    assert.equal(decoder.verbatimRun(bytes, 0, split), split);
    assert.equal(decoder.isVerbatim, true);
    assert.equal(decoder.verbatimRun(bytes, split, bytes.length), bytes.length - split);
    assert.equal(decoder.event, Chunk.END);
  }
});

test('verbatimRun() takes nothing of a chunk that next() began', () => {
  const decoder = new ChunkedDecoder();
  const bytes = octets('5\r\nhello\r\n0\r\n\r\n');
  for (let split = 1; split < 10; split++) {
    decoder.reset();
    for (let at = 0; at < split; ) at += decoder.next(bytes, at, split);
    assert.equal(decoder.verbatimRun(bytes, split, bytes.length), 0, `${split}`);
    assert.equal(decoder.isVerbatim, false);
  }
});

test('next() takes nothing behind the end and says so again', () => {
  const decoder = new ChunkedDecoder();
  const bytes = octets('0\r\n\r\nGET / HTTP/1.1\r\n');
  assert.equal(decoder.next(bytes, 0, bytes.length), 5);
  assert.equal(decoder.event, Chunk.END);
  assert.equal(decoder.next(bytes, 5, bytes.length), 0);
  assert.equal(decoder.event, Chunk.END);
});

test(`any content, encoded in any chunks and cut anywhere, is decoded to itself (seed ${seed})`, () => {
  const property = fc.property(
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 }),
    fc.array(fc.nat(400), { maxLength: 6 }),
    fc.boolean(),
    (chunks, cuts, isRunFirst) => {
      const parts: Uint8Array[] = [];
      for (const chunk of chunks) {
        const line = new Uint8Array(chunkLineBytesMax);
        parts.push(line.subarray(0, writeChunkLine(line, 0, chunk.length)), chunk, octets('\r\n'));
      }
      const encoded = new Uint8Array(Buffer.concat([...parts, lastChunk]));
      const decoder = new ChunkedDecoder();
      decoder.reset();
      const ends = [
        ...cuts.filter((cut) => cut < encoded.length).sort((a, b) => a - b),
        encoded.length,
      ];
      const content: Uint8Array[] = [];
      let passed = 0;
      let at = 0;
      for (const end of ends) {
        while (at < end) {
          const run = isRunFirst ? decoder.verbatimRun(encoded, at, end) : 0;
          passed += run;
          at += run;
          if (decoder.event === Chunk.END || run > 0) continue;
          at += decoder.next(encoded, at, end);
          if (decoder.event === Chunk.DATA)
            content.push(encoded.slice(decoder.dataStart, decoder.dataEnd));
        }
      }
      assert.equal(decoder.event, Chunk.END);
      assert.equal(at, encoded.length);
      if (cuts.length === 0 && isRunFirst) assert.equal(passed, encoded.length);
      if (!isRunFirst) assert.deepEqual(Buffer.concat(content), Buffer.concat(chunks));
    },
  );
  fc.assert(property, { seed, numRuns: 300 });
});

test('writeChunkLine() writes hex for any size', () => {
  const out = new Uint8Array(chunkLineBytesMax);
  for (const size of [1, 9, 10, 15, 16, 255, 4096, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const end = writeChunkLine(out, 0, size);
    assert.equal(Buffer.from(out.subarray(0, end)).toString(), `${size.toString(16)}\r\n`);
  }
});
