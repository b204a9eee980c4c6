import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { bucketOf, histogramBuckets } from '../../src/base/histogram.ts';
import { type FailureCode, failureKind } from '../../src/model/failure.ts';
import { startCounting } from './failing-servers.ts';
import { type Balancer, startBalancer } from './harness.ts';
import { Load } from './load.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** A line of the access log. */
interface Line {
  readonly listener: string;
  readonly route: string | null;
  readonly pool: string | null;
  readonly server: string | null;
  readonly status: number;
  readonly reason: string;
  readonly bytes: number;
  readonly bytesIn: number;
  readonly totalMs: number;
  readonly firstByteMs: number | null;
  readonly attempts: number;
}

/** What came of it. */
export interface BooksReport {
  readonly lines: number;
  readonly aborted: number;
  readonly repeated: number;
}

/**
 * So many requests over two workers and three listed servers, one of them dead, while servers drop links and
 * refuse, and clients leave; then every figure of every owner is compared with the sum over the log's lines.
 */
export async function checkBooks(
  test: Pick<TestContext, 'after'>,
  requests: number,
  driver: 'uring' | 'portable',
): Promise<BooksReport> {
  const servers = [await startCounting(test, answer), await startCounting(test, answer)];
  const dead = `127.0.0.1:${await freePort()}`;
  const port = await freePort();
  const balancer = await startBalancer(
    test,
    {
      listeners: [{ name: 'web', address: `127.0.0.1:${port}` }],
      routes: [
        { name: 'fixed', match: { path: '/fixed' }, respond: { status: 204 } },
        { name: 'app', match: { path: '/app/*' }, pool: 'app' },
        { name: 'lost', match: { path: '/lost' }, pool: 'lost' },
      ],
      pools: {
        app: {
          servers: [...servers.map(({ address }) => address), dead],
          policy: 'round-robin',
          outlier: false,
        },
        lost: [dead],
      },
      workers: 2,
      log: { access: './access.log', level: 'error' },
    },
    { driver },
  );
  const load = new Load({
    port,
    links: 16,
    requestsPerLink: 50,
    timeoutMs: 60_000,
    accepts: () => true,
    request: (id) => requestOf(id),
  });
  let left = 0;
  await until('all requests', 600_000, async () => {
    await leaveOne(port);
    left++;
    return load.count + left >= requests;
  });
  await load.stop();
  const log = join(balancer.directory, 'access.log');
  const read = (): Line[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  await until('nothing in flight, every line written', 20_000, async () => {
    const metrics = await balancer.metrics();
    const ended = metrics.get('evenkeel_listener_requests_total{listener="web"}');
    const running = metrics.get('evenkeel_listener_in_flight{listener="web"}');
    const written = read().length;
    assert.deepEqual({ running, ended }, { running: 0, ended: written });
    return true;
  });
  const lines = read();
  assert.ok(lines.length >= requests, `${lines.length} lines`);
  await compare(balancer, lines);
  return {
    lines: lines.length,
    aborted: lines.filter((line) => endOf(line) === 'aborted').length,
    repeated: lines.filter(({ attempts }) => attempts > 1).length,
  };
}

function answer(request: IncomingMessage, response: ServerResponse, count: number): void {
  if (request.url === '/app/endless') {
    response.writeHead(200);
    response.write('x'.repeat(20_000));
    return;
  }
  // Idempotent requests are repeated elsewhere at the cost of the budget, others end as 502.
  if (count % 61 === 0) request.socket.destroy();
  else if (count % 23 === 0) response.writeHead(404).end('no');
  else if (count % 37 === 0) response.writeHead(500).end();
  else response.end('y'.repeat(count % 3_000));
}

let turn = 0;

function requestOf(id: string): { text: string; method: string } {
  turn++;
  const fields = `Host: books\r\nX-Id: ${id}\r\n`;
  if (turn % 29 === 0) return { text: `GET /fixed HTTP/1.1\r\n${fields}\r\n`, method: 'GET' };
  if (turn % 31 === 0) return { text: `GET /nowhere HTTP/1.1\r\n${fields}\r\n`, method: 'GET' };
  if (turn % 41 === 0) return { text: `GET /lost HTTP/1.1\r\n${fields}\r\n`, method: 'GET' };
  if (turn % 5 === 0) {
    const text = `POST /app/p HTTP/1.1\r\n${fields}Content-Length: 5\r\n\r\nhello`;
    return { text, method: 'POST' };
  }
  return { text: `GET /app/${turn % 7} HTTP/1.1\r\n${fields}\r\n`, method: 'GET' };
}

/** A client that leaves in the middle of an answer. */
function leaveOne(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /app/endless HTTP/1.1\r\nHost: books\r\n\r\n'),
    );
    // A reset: who only ends its side may still want the answer.
    socket.once('data', () => socket.resetAndDestroy());
    socket.on('error', () => {});
    socket.once('close', () => resolve());
  });
}

/** An answer of our own has the status of its failure; any other answer that failed was cut. */
function endOf({ status, reason }: Line): string {
  const isCut = reason !== 'ok' && failureKind(reason as FailureCode).status !== status;
  return status === 0 || isCut ? 'aborted' : `${Math.floor(status / 100)}xx`;
}

/** What lines tell of. */
const counted =
  /^evenkeel_(?:failures|(?:listener|route|pool|server)_(?:requests|responses|aborted|failures|without_server))_total\{/;

async function compare(balancer: Balancer, lines: readonly Line[]): Promise<void> {
  const metrics = await balancer.metrics();
  const expected = new Map<string, number>();
  const add = (name: string, labels: string, value = 1): void => {
    const key = `evenkeel_${name}{${labels}}`;
    expected.set(key, (expected.get(key) ?? 0) + value);
  };
  for (const line of lines) {
    const owners = [['listener', `listener="${line.listener}"`]];
    if (line.route !== null) owners.push(['route', `route="${line.route}"`]);
    if (line.pool !== null) owners.push(['pool', `pool="${line.pool}"`]);
    if (line.server !== null) {
      owners.push(['server', `pool="${line.pool}",server="${line.server}"`]);
    }
    const end = endOf(line);
    for (const [owner, labels] of owners as [string, string][]) {
      add(`${owner}_requests_total`, labels);
      if (end === 'aborted') add(`${owner}_aborted_total`, labels);
      else add(`${owner}_responses_total`, `${labels},class="${end}"`);
      if (line.reason !== 'ok') add(`${owner}_failures_total`, `${labels},reason="${line.reason}"`);
      add(`${owner}_duration_seconds_count`, labels);
      if (line.server === null && owner !== 'server') add(`${owner}_without_server_total`, labels);
      const isFirst = line.firstByteMs !== null;
      if (isFirst) add(`${owner}_first_byte_seconds_count`, labels);
      if (owner !== 'route') continue;
      add('route_received_bytes_total', labels, line.bytesIn);
      add('route_sent_bytes_total', labels, line.bytes);
    }
    if (line.reason !== 'ok') add('failures_total', `reason="${line.reason}"`);
  }
  assert.ok(expected.size > 40, `${expected.size} figures`);
  for (const [name, value] of expected) assert.equal(metrics.get(name), value, name);
  // And nothing that no line tells of.
  for (const [name, value] of metrics) {
    if (counted.test(name)) assert.equal(value, expected.get(name) ?? 0, name);
  }
  compareBuckets(metrics, lines);
}

/** Each line's time lies in the bucket that its histogram says, counted through the cells of shared memory. */
function compareBuckets(metrics: ReadonlyMap<string, number>, lines: readonly Line[]): void {
  const cells = new Float64Array(histogramBuckets);
  for (const { route, totalMs } of lines) {
    if (route === 'app') cells[bucketOf(Math.round(totalMs * 1000))]! += 1;
  }
  for (const bound of [0.001, 0.01, 0.1, 1]) {
    const name = `evenkeel_route_duration_seconds_bucket{route="app",le="${bound}"}`;
    let below = 0;
    // A cell that the bound cuts is counted where its middle lies: one cell on either side.
    for (let cell = 0; cell < bucketOf(bound * 1e6); cell++) below += cells[cell]!;
    const edge = cells[bucketOf(bound * 1e6)]!;
    const shown = metrics.get(name) ?? 0;
    assert.ok(shown >= below && shown <= below + edge, `${name}: ${shown}, ${below} + ${edge}`);
  }
}
