import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorPage, RouteActions } from '../model/actions.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const page = (first: number, last: number, change: Partial<ErrorPage> = {}): ErrorPage => ({
  first,
  last,
  body: `page ${first}`,
  file: null,
  contentType: 'text/html',
  replacesUpstream: false,
  ...change,
});

function runWith(
  ofRoute: readonly ErrorPage[],
  ofAll: readonly ErrorPage[] = [],
  change: Partial<Snapshot> = {},
): FakeRun {
  const [all] = fakeSnapshot(1).routes;
  const actions: RouteActions = {
    split: null,
    fallback: null,
    mirror: null,
    redirect: null,
    rewrite: null,
    requestHeaders: null,
    responseHeaders: null,
    errors: ofRoute,
  };
  const routes = [{ ...all!, actions: ofRoute.length === 0 ? null : actions }];
  return new FakeRun(1, { accessLog: true, routes, errors: ofAll, ...change });
}

const answer = (status: string, fields = '', body = 'theirs'): string =>
  `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

test("a route's error page stands for an error of ours, with its facts", () => {
  const body = '<h1>${status} ${reason}</h1> ${route} ${requestId}';
  const run = runWith([page(502, 504, { body })]);
  const client = run.client(get);
  run.server(0, false).die(111);
  assert.match(
    brief(client.text),
    /^502 Bad Gateway\|<h1>502 connect-refused<\/h1> all [0-9a-f]{16}$/,
  );
  assert.match(client.text, /\r\nContent-Type: text\/html\r\n/);
  const [line] = run.log();
  assert.deepEqual([line?.['actions'], line?.['reason']], [['error-page'], 'connect-refused']);
});

test('the first page that has the status is taken; pages of a route come before those of all', () => {
  const run = runWith([page(503, 503)], [page(400, 599)], { pools: fakeSnapshot(0).pools });
  assert.equal(brief(run.client(get).text), '503 Service Unavailable|page 503');
  const other = runWith([page(504, 504)], [page(400, 599)], { pools: fakeSnapshot(0).pools });
  assert.equal(brief(other.client(get).text), '503 Service Unavailable|page 400');
});

test('pages of all hold for requests without a route and for what is no request', () => {
  const run = runWith([], [page(400, 499)], { routes: [] });
  assert.equal(brief(run.client(get).text), '404 Not Found|page 400');
  assert.equal(
    brief(run.client('GET / HTTP/1.1\r\nHost\r\n\r\n').text),
    '400 Bad Request|page 400',
  );
});

test('HEAD gets the head of the page', () => {
  const run = runWith([], [page(404, 404)], { routes: [] });
  const { text } = run.client(get.replace('GET', 'HEAD'));
  assert.match(text, /\r\nContent-Length: 8\r\n/);
  assert.ok(text.endsWith('\r\n\r\n'));
});

test('answers of servers stay as they are unless the page replaces them', () => {
  const run = runWith([page(500, 599)]);
  const client = run.client(get);
  run.server(0).receive(answer('503 Busy'));
  assert.equal(brief(client.text), '503 Busy|theirs');
});

for (const [where, ofRoute, ofAll] of [
  ['its route', [page(400, 599, { replacesUpstream: true })], []],
  ['all', [], [page(400, 599, { replacesUpstream: true })]],
] as const) {
  test(`a page of ${where} replaces a server's answer; the link is used again`, () => {
    const run = runWith(ofRoute, ofAll);
    const client = run.client(get);
    const fields = 'Retry-After: 120\r\nSet-Cookie: a=b\r\n';
    run.server(0).receive(answer('503 Busy', fields));
    assert.equal(brief(client.text), '503 Service Unavailable|page 400');
    assert.match(client.text, /\r\nRetry-After: 120\r\n/);
    assert.doesNotMatch(client.text, /theirs|Set-Cookie/);
    client.text = '';
    client.receive(get);
    assert.equal(run.dials, 1);
    run.server(0).receive(ok);
    assert.equal(brief(client.text), '200 OK|ok');
    const [line] = run.log();
    assert.deepEqual(
      [line?.['status'], line?.['actions'], line?.['reason'], line?.['server']],
      [503, ['error-page'], 'ok', '10.0.0.1:80'],
    );
    assert.equal(run.count('server', 's5xx'), 1);
    assert.equal(run.inFlight, 0);
  });
}

test('the rest of a replaced answer that is still to come is read for nobody', () => {
  const run = runWith([page(404, 404, { replacesUpstream: true })]);
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  assert.equal(brief(client.text), '404 Not Found|page 404');
  client.text = '';
  run.server(0).receive('3\r\ndef\r\n0\r\n\r\n');
  assert.equal(client.text, '');
  client.receive(get);
  assert.equal(run.dials, 1, 'its link is used again');
});

test('texts of files are taken as they are', () => {
  const body = '<script>`${reason}`</script>';
  const run = runWith([page(503, 503, { body, file: 'x' })], [], { pools: fakeSnapshot(0).pools });
  assert.equal(brief(run.client(get).text), `503 Service Unavailable|${body}`);
  const [all] = fakeSnapshot(1).routes;
  const respond = { status: 200, body, file: 'x', contentType: 'text/html', headers: {} };
  const other = runWith([], [], { routes: [{ ...all!, pool: null, respond }] });
  assert.equal(brief(other.client(get).text), `200 OK|${body}`);
});

test('a fixed answer is no error', () => {
  const [all] = fakeSnapshot(1).routes;
  const respond = { status: 403, body: 'no', file: null, contentType: 'text/plain', headers: {} };
  const run = runWith([], [page(400, 599)], { routes: [{ ...all!, pool: null, respond }] });
  assert.equal(brief(run.client(get).text), '403 Forbidden|no');
});
