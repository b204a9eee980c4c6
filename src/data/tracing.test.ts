import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogForm } from '../model/log-form.ts';
import { standardRetry } from '../model/retry.ts';
import {
  SpanKind,
  SpanNumber,
  SpanWord,
  spanNumbers,
  spanWords,
  type TraceRule,
} from '../model/spans.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { FakeRun, ok } from './fake-run.ts';
import { Tracing } from './tracing.ts';

const always: TraceRule = { share: 1, parents: 'all' };
const trace = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

function ask(...lines: string[]): string {
  return `GET /a?token=x HTTP/1.1\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

interface Span {
  readonly kind: number;
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly ms: readonly [number, number];
  readonly status: number;
  readonly tries: number;
  readonly flag: number;
  readonly words: readonly string[];
}

/** Spans so far; times in ms since the first span began. */
function spansOf(run: FakeRun): Span[] {
  run.advance(50);
  const spans = run.fake.messages.flatMap((message): Span[] => {
    if (message.type !== 'spans') return [];
    const { numbers, words } = message.batch;
    return Array.from({ length: numbers.length / spanNumbers }, (_, row) => {
      const of = (at: number): number => numbers[row * spanNumbers + at]!;
      const hex = (at: number, count: number): string =>
        Array.from({ length: count }, (_one, i) =>
          of(at + i)
            .toString(16)
            .padStart(8, '0'),
        ).join('');
      return {
        kind: of(SpanNumber.KIND),
        trace: hex(SpanNumber.TRACE, 4),
        id: hex(SpanNumber.ID, 2),
        parent: hex(SpanNumber.PARENT, 2),
        ms: [of(SpanNumber.START) / 1000, of(SpanNumber.END) / 1000],
        status: of(SpanNumber.STATUS),
        tries: of(SpanNumber.TRIES),
        flag: of(SpanNumber.FLAG),
        words: words.slice(row * spanWords, (row + 1) * spanWords),
      };
    });
  });
  const first = Math.min(...spans.map(({ ms }) => ms[0]));
  return spans.map((span) => ({ ...span, ms: [span.ms[0] - first, span.ms[1] - first] }));
}

function parentOf(text: string): string | undefined {
  return /^traceparent: (.*)\r$/im.exec(text)?.[1];
}

test('a sampled request has a span, its try and its dial have theirs, and the server is told of the try', () => {
  const run = new FakeRun(1, { tracing: always });
  run.client(ask(`traceparent: 00-${trace}-${parent}-01`, 'tracestate: a=b'));
  run.advance(10);
  const server = run.server(0);
  run.advance(20);
  server.receive(ok);
  const [request, attempt, dial] = spansOf(run);
  assert.ok(request && attempt && dial);
  assert.deepEqual(
    [request.kind, attempt.kind, dial.kind],
    [SpanKind.REQUEST, SpanKind.TRY, SpanKind.DIAL],
  );
  for (const span of [request, attempt, dial]) assert.equal(span.trace, trace);
  assert.deepEqual([request.parent, attempt.parent, dial.parent], [parent, request.id, attempt.id]);
  assert.deepEqual(
    [request.ms, attempt.ms, dial.ms],
    [
      [0, 30],
      [0, 30],
      [0, 10],
    ],
  );
  assert.deepEqual([request.status, attempt.status, request.tries, request.flag], [200, 200, 1, 1]);
  assert.equal(request.words[SpanWord.PATH], '/a');
  assert.equal(attempt.words[SpanWord.SERVER], '10.0.0.1:80');
  assert.equal(parentOf(server.text), `00-${trace}-${attempt.id}-01`);
  assert.match(server.text, /\r\ntracestate: a=b\r\n/i);
});

test('a try on a reused link has no dial', () => {
  const run = new FakeRun(1, { tracing: always });
  const client = run.client(ask());
  run.server(0).receive(ok);
  client.receive(ask());
  run.server(0).receive(ok);
  const kinds = spansOf(run).map(({ kind, flag }) => [kind, flag]);
  assert.deepEqual(kinds.slice(3), [
    [SpanKind.REQUEST, 0],
    [SpanKind.TRY, 1],
  ]);
});

test('each try has a span of its own, and its server is told that one', () => {
  const run = new FakeRun(3, { tracing: always });
  run.client(ask());
  run.server(0, false).die(111);
  run.server(1).die(104);
  run.advance(500);
  run.server(2).receive(ok);
  const spans = spansOf(run);
  const [request] = spans;
  const tries = spans.filter(({ kind }) => kind === SpanKind.TRY);
  assert.deepEqual(
    tries.map(({ words, tries: before, status }) => [
      words[SpanWord.SERVER],
      words[SpanWord.REASON],
      before,
      status,
    ]),
    [
      ['10.0.0.1:80', 'connect-refused', 0, 0],
      ['10.0.0.2:80', 'upstream-reset-before-headers', 1, 0],
      ['10.0.0.3:80', '', 2, 200],
    ],
  );
  for (const one of tries) assert.equal(one.parent, request?.id);
  assert.equal(new Set(spans.map(({ id }) => id)).size, spans.length);
  assert.equal(parentOf(run.server(1).text), `00-${request?.trace}-${tries[1]?.id}-01`);
  assert.equal(parentOf(run.server(2).text), `00-${request?.trace}-${tries[2]?.id}-01`);
  assert.equal(spans.filter(({ kind }) => kind === SpanKind.DIAL).length, 3);
  assert.equal(request?.tries, 3);
});

test('an answer that is taken back is a try with its status', () => {
  const [pool] = fakeSnapshot(2).pools;
  const retry = { ...standardRetry, statuses: [[503, 503] as const] };
  const run = new FakeRun(2, { tracing: always, pools: [{ ...pool!, retry }] });
  run.client(ask());
  run.server(0).receive('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n');
  run.advance(500);
  run.server(1).receive(ok);
  const tries = spansOf(run).filter(({ kind }) => kind === SpanKind.TRY);
  assert.deepEqual(
    tries.map(({ status, words }) => [status, words[SpanWord.REASON]]),
    [
      [503, 'upstream-unavailable'],
      [200, ''],
    ],
  );
});

test('both tries of a hedged request are told once, whoever wins', () => {
  const [pool] = fakeSnapshot(2).pools;
  const retry = { ...standardRetry, hedge: { afterMs: 50, max: 1 } };
  for (const winner of [0, 1]) {
    const run = new FakeRun(2, { tracing: always, pools: [{ ...pool!, retry }] });
    run.client(ask());
    run.server(0);
    run.advance(100);
    run.server(1);
    run.advance(10);
    run.server(winner).receive(ok);
    const spans = spansOf(run);
    const tries = spans.filter(({ kind }) => kind === SpanKind.TRY);
    const said = new Map(tries.map((one) => [one.words[SpanWord.SERVER], one]));
    assert.equal(tries.length, 2);
    assert.equal(said.get(`10.0.0.${winner + 1}:80`)?.status, 200);
    assert.equal(said.get(`10.0.0.${2 - winner}:80`)?.words[SpanWord.REASON], 'hedge-lost');
    for (const at of [0, 1]) {
      const id = said.get(`10.0.0.${at + 1}:80`)?.id;
      assert.equal(parentOf(run.server(at).text), `00-${spans[0]?.trace}-${id}-01`);
    }
  }
});

test('a wait in the queue has a span', () => {
  const [pool] = fakeSnapshot(1).pools;
  const queue = { size: 10, timeoutMs: 5_000, classes: null };
  const run = new FakeRun(1, { tracing: always, pools: [{ ...pool!, connectionsMax: 1, queue }] });
  run.client(ask());
  run.server(0);
  run.client(ask());
  run.advance(200);
  run.server(0).receive(ok);
  run.advance(100);
  run.server(0).receive(ok);
  const spans = spansOf(run);
  const wait = spans.find(({ kind }) => kind === SpanKind.QUEUE);
  assert.ok(wait);
  assert.equal(wait.ms[1] - wait.ms[0], 200);
  assert.equal(spans.find(({ id }) => id === wait.parent)?.kind, SpanKind.REQUEST);
});

test('a request that is answered here is traced too', () => {
  const run = new FakeRun(1, { tracing: always, routes: [] });
  run.client(ask());
  const [request, ...others] = spansOf(run);
  assert.deepEqual(others, []);
  assert.equal(request?.status, 404);
  assert.equal(request?.words[SpanWord.REASON], 'no-route');
});

test('who decided against a trace is followed, word for word', () => {
  const run = new FakeRun(1, { tracing: always });
  run.client(ask(`traceparent: 00-${trace}-${parent}-00`));
  run.server(0).receive(ok);
  assert.deepEqual(spansOf(run), []);
  assert.equal(parentOf(run.server(0).text), `00-${trace}-${parent}-00`);
});

test('what is not sampled tells servers so', () => {
  const run = new FakeRun(1, { tracing: { share: 0, parents: 'all' } });
  run.client(ask());
  run.server(0).receive(ok);
  assert.deepEqual(spansOf(run), []);
  assert.match(parentOf(run.server(0).text) ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

test('a parent that is invalid or not believed is replaced, and its state goes with it', () => {
  const good = `traceparent: 00-${trace}-${parent}-01`;
  const cases: [TraceRule['parents'], ...string[]][] = [
    ['none', good],
    ['trusted', good],
    ['all', good, good],
    ['all', `traceparent: 00-${'0'.repeat(32)}-${parent}-01`],
    ['all', `traceparent: 00-${trace.toUpperCase()}-${parent}-01`],
    ['all', `traceparent: ff-${trace}-${parent}-01`],
    ['all', `traceparent: 00-${trace}-${parent}-01-more`],
  ];
  for (const [parents, ...lines] of cases) {
    const run = new FakeRun(1, { tracing: { share: 1, parents } });
    run.client(ask(...lines, 'tracestate: a=b'));
    const server = run.server(0);
    server.receive(ok);
    assert.equal(server.text.match(/^traceparent:/gim)?.length, 1);
    assert.doesNotMatch(server.text, /tracestate/i);
    const [request] = spansOf(run);
    assert.equal(request?.parent, '0000000000000000');
    assert.notEqual(request?.trace, trace);
  }
});

test('a line of the access log may name the trace', () => {
  const logForm: LogForm = {
    style: 'json',
    parts: [{ fact: 'trace', header: '' }],
    hidden: [],
    keepsErrors: false,
    slowMs: 0,
    share: 1,
  };
  const run = new FakeRun(1, { tracing: { share: 0, parents: 'all' }, accessLog: true, logForm });
  const client = run.client(ask(`traceparent: 00-${trace}-${parent}-01`));
  run.server(0).receive(ok);
  client.receive(ask());
  run.server(0).receive(ok);
  assert.deepEqual(run.log(), [{ trace }, { trace: null }]);
});

test('a later version of traceparent is read as far as it is known', () => {
  const run = new FakeRun(1, { tracing: always });
  run.client(ask(`traceparent: 01-${trace}-${parent}-01-more`));
  run.server(0).receive(ok);
  assert.equal(spansOf(run)[0]?.trace, trace);
});

test('a trace that runs while tracing is turned off ends, and none begins', () => {
  const run = new FakeRun(1, { tracing: always });
  const client = run.client(ask());
  const { plane, snapshot } = run.fake;
  plane.apply({ ...snapshot, version: 2, tracing: null }, {});
  run.server(0).receive(ok);
  client.receive(ask());
  run.server(0).receive(ok);
  assert.equal(spansOf(run).filter(({ kind }) => kind === SpanKind.REQUEST).length, 1);
});

test('once the last trace has ended after that, exchanges pass no tracing any more', (context) => {
  const run = new FakeRun(1, { tracing: always });
  const client = run.client(ask());
  const { plane, snapshot } = run.fake;
  plane.apply({ ...snapshot, version: 2, tracing: null }, {});
  const end = context.mock.method(Tracing.prototype, 'end');
  run.advance(50);
  run.server(0).receive(ok);
  assert.equal(end.mock.callCount(), 1, 'the one that runs still ends');
  run.advance(50);
  client.receive(ask());
  run.server(0).receive(ok);
  assert.equal(end.mock.callCount(), 1);
  assert.equal(client.text.split('200 OK').length - 1, 2);
});
