import { Chunk, ChunkedDecoder } from './chunked.ts';
import { Head, Method } from './head.ts';
import { HeadScanner } from './head-scanner.ts';
import { parseRequestHead } from './request-parser.ts';
import { parseResponseHead } from './response-parser.ts';
import { RequestForwarding, writeRequestHead } from './write-request.ts';
import { ResponseForwarding, writeResponseHead } from './write-response.ts';

const octets = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

/** What a browser sends: 530 octets. */
const browserRequest = octets(
  [
    'GET /api/v1/items?page=2&sort=name HTTP/1.1',
    'Host: www.example.com',
    'Connection: keep-alive',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
    'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes',
    'Referer: https://www.example.com/start',
    '',
    '',
  ].join('\r\n'),
);
const smallRequest = octets('GET /v HTTP/1.1\r\nHost: lb.test\r\n\r\n');
const nodeResponse = octets(
  [
    'HTTP/1.1 200 OK',
    'Content-Type: application/json; charset=utf-8',
    'Cache-Control: no-cache',
    'ETag: W/"1a2b-3c4d5e6f"',
    'Date: Sat, 21 Nov 2026 00:00:00 GMT',
    'Connection: keep-alive',
    'Keep-Alive: timeout=5',
    'Content-Length: 128',
    '',
    '',
  ].join('\r\n'),
);

/** Name → nanoseconds per call. */
export type Timings = Record<string, number>;

/** The baseline that the parser must beat: text, split, a map. */
function naiveParse(bytes: Uint8Array): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const lines = text.slice(0, -4).split('\r\n');
  const fields = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
    if (match === null) return -1;
    fields.set(match[1]!.toLowerCase(), match[2]!.trimEnd());
  }
  return fields.size + lines[0]!.split(' ').length;
}

function time(rounds: number, call: () => number): number {
  let sum = 0;
  for (let i = 0; i < rounds / 4; i++) sum += call();
  // CPU time, not the clock: the machine may be busy
  const start = process.cpuUsage();
  for (let i = 0; i < rounds; i++) sum += call();
  const elapsedUs = process.cpuUsage(start).user;
  if (sum === 0) throw new Error('the work was not done');
  return (elapsedUs * 1e3) / rounds;
}

/** Times every part of the codec, `rounds` calls each. */
export function benchCodec(rounds: number): Timings {
  const limits = { headBytesMax: 32_768, headFieldsMax: 100 };
  const head = new Head();
  const out = new Uint8Array(65_536);
  const link = { clientAddress: '192.0.2.1', isTrustedPeer: false, scheme: 'http', viaName: 'ek' };
  const forwarding = new RequestForwarding(link);
  const answer = new ResponseForwarding();
  const parse = (bytes: Uint8Array) => parseRequestHead(head, bytes, 0, bytes.length, limits);
  const parseAnswer = () =>
    parseResponseHead(head, nodeResponse, 0, nodeResponse.length, limits, Method.GET);
  const scanner = new HeadScanner(limits);
  const chunk = octets(`2000\r\n${'x'.repeat(8192)}\r\n`.repeat(2));
  const decoder = new ChunkedDecoder();
  const timings: Timings = {};
  timings['naive parse, browser request'] = time(rounds, () => naiveParse(browserRequest));
  timings['parse, browser request'] = time(rounds, () => parse(browserRequest));
  timings['parse, small request'] = time(rounds, () => parse(smallRequest));
  parse(browserRequest);
  timings['write, browser request'] = time(rounds, () =>
    writeRequestHead(out, 0, head, forwarding),
  );
  timings['scan, browser request'] = time(rounds, () => {
    scanner.reset();
    return scanner.push(browserRequest, 0, browserRequest.length);
  });
  timings['parse, response'] = time(rounds, parseAnswer);
  answer.framing = head.framing;
  answer.contentLength = head.contentLength;
  timings['write, response'] = time(rounds, () => writeResponseHead(out, 0, head, answer));
  timings['chunked verbatim, 16 KiB'] = time(rounds, () => {
    decoder.reset();
    return decoder.verbatimRun(chunk, 0, chunk.length);
  });
  timings['chunked events, 16 KiB'] = time(rounds, () => {
    decoder.reset();
    let at = 0;
    do at += decoder.next(chunk, at, chunk.length);
    while (decoder.event === Chunk.DATA);
    return at;
  });
  return timings;
}

if (import.meta.main) {
  for (const [name, nanoseconds] of Object.entries(benchCodec(300_000))) {
    console.log(`${nanoseconds.toFixed(0).padStart(8)} ns  ${name}`);
  }
}
