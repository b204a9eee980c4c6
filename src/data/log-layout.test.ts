import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  combinedLine,
  type LogForm,
  type LogPart,
  logFactOf,
  parseLine,
} from '../model/log-form.ts';
import { FakeRun, get, ok } from './fake-run.ts';

const every = { style: 'text', hidden: [], keepsErrors: true, slowMs: 0, share: 1 } as const;

function text(line: string, more: Partial<LogForm> = {}): LogForm {
  return { ...every, parts: parseLine(line) as readonly LogPart[], ...more };
}

function json(...names: string[]): LogForm {
  return { ...every, style: 'json', parts: names.map((name) => logFactOf(name)!) };
}

/** The lines of one request that the only server answers. */
function linesOf(logForm: LogForm, request: string, answer: string = ok): string {
  const run = new FakeRun(1, { accessLog: true, logForm });
  run.client(request);
  run.server(0).receive(answer);
  return textOf(run);
}

function textOf(run: FakeRun): string {
  run.advance(50);
  const { messages } = run.fake;
  return messages
    .map((message) => (message.type === 'log' ? new TextDecoder().decode(message.lines) : ''))
    .join('');
}

test('the combined line is what Apache and nginx write', () => {
  const request =
    'GET /a%20b?page=2 HTTP/1.1\r\nHost: h\r\nReferer: https://x/?q=1\r\nUser-Agent: A"b\\c \xe9\r\n\r\n';
  assert.match(
    linesOf(text(combinedLine), request),
    /^127\.0\.0\.1 - - \[01\/Jan\/2026:00:00:00 \+0000\] "GET \/a%20b\?page=2 HTTP\/1\.1" 200 \d+ "https:\/\/x\/\?q=1" "A\\x22b\\x5cc \\xe9"\n$/,
  );
});

test('what a request does not say is - in a text and null in JSON', () => {
  assert.equal(linesOf(text('${referer} ${query} ${header.x-tenant}|'), get), '- - -|\n');
  assert.deepEqual(JSON.parse(linesOf(json('referer', 'query', 'header.x-tenant'), get)), {
    referer: null,
    query: null,
    'header.x-tenant': null,
  });
});

test('fields are written in the order in which they are asked for', () => {
  const line = linesOf(
    json('status', 'header.X-Tenant', 'uri', 'server', 'actions', 'queuedMs', 'time', 'commonTime'),
    'GET /p?a=1 HTTP/1.0\r\nHost: h\r\nX-Tenant: "t"\r\n\r\n',
  );
  assert.equal(
    line,
    '{"status":200,"header.x-tenant":"\\u0022t\\u0022","uri":"/p?a=1","server":"10.0.0.1:80","actions":[],' +
      '"queuedMs":0.000,"time":"2026-01-01T00:00:00.000Z","commonTime":"01/Jan/2026:00:00:00 +0000"}\n',
  );
});

test('values of secret parameters are hidden, in the query and in the referrer, however their names are written', () => {
  const hidden = ['token', 'x-amz-signature'];
  const request =
    'GET /a?tok%65n=one&TOKEN=two&b=3;token=four&tokens=5&token&X-Amz-Signature=six HTTP/1.1\r\nHost: h\r\n' +
    'Referer: https://user:pass@x/y?token=seven&z=8#access_token=nine\r\n\r\n';
  const line = linesOf(text('${uri} ${query} ${referer}', { hidden }), request);
  const query = 'tok%65n=***&TOKEN=***&b=3;token=***&tokens=5&token&X-Amz-Signature=***';
  assert.equal(line, `/a?${query} ${query} https://x/y?token=***&z=8\n`);
});

test('a line of a refusal says what is known', () => {
  const run = new FakeRun(1, {
    accessLog: true,
    logForm: text('${method} ${uri} ${status} ${reason}'),
  });
  run.client('nonsense\r\n\r\n');
  assert.equal(textOf(run), '- - 400 request-line-invalid\n');
});

test('with a share of none only failures get a line', () => {
  const logForm = text('${uri} ${status}', { share: 0 });
  const bad = 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n';
  const missing = 'HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n';
  assert.equal(linesOf(logForm, get), '');
  assert.equal(linesOf(logForm, get, missing), '');
  assert.equal(linesOf(logForm, get, bad), '/ 500\n');
  assert.equal(linesOf({ ...logForm, keepsErrors: false }, get, bad), '');
});

test('slow exchanges get the usual line whatever the share is', () => {
  const logForm: LogForm = { ...every, style: 'default', parts: [], share: 0, slowMs: 100 };
  const run = new FakeRun(1, { accessLog: true, logForm });
  const client = run.client(get);
  run.server(0);
  run.advance(50);
  run.server(0).receive(ok);
  client.receive(get.replace('/', '/slow'));
  run.advance(100);
  run.server(0).receive(ok);
  const lines = run.log();
  assert.deepEqual(
    lines.map(({ path, totalMs }) => [path, totalMs]),
    [['/slow', 100]],
  );
});

test('a share of half is about half of the lines', () => {
  const run = new FakeRun(1, { accessLog: true, logForm: text('${uri}', { share: 0.5 }) });
  const client = run.client();
  for (let i = 0; i < 1_000; i++) {
    client.receive(get);
    run.server(0).receive(ok);
  }
  const count = textOf(run).split('\n').length - 1;
  // six standard deviations of 15.8 on either side, from a fixed seed
  assert.ok(count > 405 && count < 595, `${count}`);
});

test('longest lines are whole, however many there are', () => {
  const parts = Array.from({ length: 12 }, () => '${uri}${referer}').join(' ');
  const run = new FakeRun(1, { accessLog: true, logForm: text(parts) });
  const client = run.client();
  const path = `/${'%C3'.repeat(600)}?${'ä'.repeat(100)}`.replace(/ä/g, 'b');
  for (let i = 0; i < 20; i++) {
    client.receive(`GET ${path} HTTP/1.1\r\nHost: h\r\nReferer: ${'"'.repeat(3_000)}\r\n\r\n`);
    run.server(0).receive(ok);
  }
  const lines = textOf(run).split('\n').slice(0, -1);
  assert.equal(lines.length, 20);
  for (const line of lines) assert.equal(line, lines[0]);
  const one = `${path}${'\\x22'.repeat(2_048)}`;
  assert.equal(lines[0], Array.from({ length: 12 }, () => one).join(' '));
});

test('a reload with another form leaves lines of running exchanges in theirs', () => {
  const run = new FakeRun(1, { accessLog: true, logForm: text('${uri} old') });
  const client = run.client(get);
  const { plane, snapshot } = run.fake;
  plane.apply({ ...snapshot, version: 2, logForm: json('path') }, {});
  run.server(0).receive(ok);
  assert.equal(textOf(run), '/ old\n');
  assert.ok(client.text.endsWith('ok'));
});
