import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeToldLoad } from '../balance/told-load.ts';
import { allocateShared, attachWords } from '../model/shared-memory.ts';
import { Head, Method } from '../wire/http1/head.ts';
import { parseResponseHead } from '../wire/http1/response-parser.ts';
import { noteLoadHeader, parseOrcaLoad, parsePlainLoad } from './load-header.ts';

test('parsePlainLoad() takes shares and percentages, and nothing else', () => {
  assert.equal(parsePlainLoad('0.73'), 0.73);
  assert.equal(parsePlainLoad(' 73% '), 0.73);
  assert.equal(parsePlainLoad('1'), 1);
  for (const text of ['', '-1', 'NaN', '1e3', '0x1', '73 %', '1.2.3']) {
    assert.equal(parsePlainLoad(text), null, text);
  }
});

test('parseOrcaLoad() prefers what the application says of itself', () => {
  assert.equal(parseOrcaLoad('TEXT cpu_utilization=0.3, application_utilization=0.7,eps=2'), 0.7);
  assert.equal(parseOrcaLoad('TEXT mem_utilization=0.9,cpu_utilization=0.3'), 0.3);
  assert.equal(parseOrcaLoad('TEXT cpu_utilization=x'), null);
  assert.equal(parseOrcaLoad('JSON {"cpu_utilization":0.3}'), null);
});

test('noteLoadHeader() notes what an answer tells, whatever the case of the name', () => {
  const words = attachWords(allocateShared(1, { counterCount: 1, histogramWords: 1 }));
  const note = (line: string): void => {
    const head = new Head();
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 0\r\n\r\n`);
    const bounds = { headBytesMax: 8192, headFieldsMax: 100 };
    const length = parseResponseHead(head, bytes, 0, bytes.length, bounds, Method.GET);
    assert.ok(length > 0);
    noteLoadHeader(words, 5, head);
  };
  note('x-LOAD: 40%');
  note('Endpoint-Load-Metrics: TEXT cpu_utilization=0.6');
  note('X-Load: much');
  note('X-Loads: 9');
  assert.deepEqual(takeToldLoad(words, 5), { reports: 2, load: 0.5 });
  assert.deepEqual(takeToldLoad(words, 5), { reports: 0, load: 0 });
});
