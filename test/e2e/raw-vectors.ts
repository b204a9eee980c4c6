import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Client } from './client.ts';
import { startBalancer } from './harness.ts';
import { freePort } from './ports.ts';
import { RawOrigin, type Script, type SeenRequest } from './raw-origin.ts';
import type { Response } from './response-reader.ts';
import { until } from './waiting.ts';

/** A request that the origin must have seen. */
export interface SeenExpectation {
  readonly line?: string;
  /** Fields that must be there, exactly once unless listed more often; names in any case. */
  readonly has?: readonly (readonly [string, string])[];
  readonly lacks?: readonly string[];
  readonly body?: string;
  /** Must be true for the fields. */
  readonly holds?: (seen: SeenRequest) => boolean;
}

/** One acceptable end of a case. */
export interface Outcome {
  /** Final statuses in order, each a set of allowed ones. */
  readonly statuses: readonly (readonly number[])[];
  /** True: the link must end; false: it must go on; null: either. */
  readonly closes: boolean | null;
  /** Complete requests that the origin saw, in order; null: not judged (answers under test may be retried). */
  readonly seen: readonly SeenExpectation[] | null;
  /** Not one byte may have reached the origin. */
  readonly isNothingForwarded?: boolean;
  /** A further look at the answers. */
  readonly holds?: (responses: readonly Response[]) => boolean;
}

/** One raw case. */
export interface RawCase {
  readonly id: string;
  /** A: safety. B: a MUST of the RFC or hardening. */
  readonly grade: 'A' | 'B';
  /** RFC section or advisory. */
  readonly source: string;
  /** What the client sends, one character per byte. */
  readonly bytes: string;
  /** Sent after the first (also interim) answer has arrived. */
  readonly followUp?: string;
  /** Methods of the requests, for reading the answers; default GET. */
  readonly methods?: readonly string[];
  /** The client half-closes after sending. */
  readonly ends?: boolean;
  readonly script?: Script;
  /** Any of these is right. */
  readonly allowed: readonly Outcome[];
}

/** Answered with one of `statuses` (default 400), closed, and no byte of it forwarded. */
export function refused(...statuses: number[]): Outcome {
  const set = statuses.length === 0 ? [400] : statuses;
  return { statuses: [set], closes: true, seen: [], isNothingForwarded: true };
}

/** Refused inside the body: the origin may have seen a part, never the whole. */
export function cut(...statuses: number[]): Outcome {
  const set = statuses.length === 0 ? [400] : statuses;
  return { statuses: [set], closes: true, seen: [] };
}

/** Forwarded as `seen`, answered 200 each; the link goes on unless `closes`. */
export function forwarded(
  seen: SeenExpectation | readonly SeenExpectation[],
  closes: boolean | null = false,
): Outcome {
  const list = 'length' in seen ? seen : [seen];
  return { statuses: list.map(() => [200]), closes, seen: list };
}

/** Answered by the balancer itself; the link may stay. */
export function answered(...statuses: number[]): Outcome {
  return { statuses: [statuses], closes: null, seen: [], isNothingForwarded: true };
}

/** What a case really did. */
export interface Observation {
  readonly responses: readonly Response[];
  readonly hasClosed: boolean;
  readonly seen: readonly SeenRequest[];
  readonly partial: readonly string[];
  readonly unclean: readonly string[];
  readonly error: string | null;
}

/** A balancer in front of one raw origin. */
export interface RawTarget {
  readonly port: number;
  readonly origin: RawOrigin;
}

/** How long a case may wait for an answer that is due, ms. */
const ANSWER_MS = 3_000;

/** Starts the target: Evenkeel with a driver, or nginx to check the runner itself. */
export async function startRawTarget(
  test: Pick<TestContext, 'after'>,
  kind: 'uring' | 'portable' | 'nginx',
): Promise<RawTarget> {
  const origin = new RawOrigin();
  const originPort = await origin.listen();
  test.after(() => origin.close());
  const port = await freePort();
  if (kind === 'nginx') {
    await startNginx(test, port, originPort);
    return { port, origin };
  }
  const config = {
    listeners: [`127.0.0.1:${port}`],
    routes: [
      { match: { path: '/admin/*' }, respond: { status: 403, body: 'no' } },
      { match: { path: '/admin' }, respond: { status: 403, body: 'no' } },
      { pool: 'web' },
    ],
    pools: { web: { servers: [`127.0.0.1:${originPort}`] } },
    workers: 1,
    log: { access: 'off', level: 'error' },
  };
  await startBalancer(test, config, { driver: kind });
  return { port, origin };
}

async function startNginx(
  test: Pick<TestContext, 'after'>,
  port: number,
  originPort: number,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-nginx-'));
  const file = join(directory, 'nginx.conf');
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join(' ');
  writeFileSync(
    file,
    `worker_processes 1; daemon off; master_process off; pid ${directory}/pid;
error_log /dev/null; events { worker_connections 256; }
http { access_log off; ${temp}
upstream web { server 127.0.0.1:${originPort}; keepalive 8; }
server { listen 127.0.0.1:${port}; lingering_timeout 1s;
location /admin { return 403; }
location / { proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host; proxy_request_buffering off; proxy_buffering off; } } }`,
  );
  const child = spawn('nginx', ['-c', file, '-p', directory], { stdio: 'ignore' });
  test.after(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  await until('nginx listens', 10_000, () => {
    return new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  });
}

const SENTINEL = 'GET /sentinel HTTP/1.1\r\nHost: lb.test\r\n\r\n';

/** Runs one case. Errors: none; what went wrong is in the observation. */
export async function observe(
  target: RawTarget,
  one: RawCase,
  inBytes: boolean,
): Promise<Observation> {
  const { origin } = target;
  origin.reset(one.script ?? null);
  const client = new Client({ port: target.port, timeoutMs: ANSWER_MS });
  const responses: Response[] = [];
  let hasClosed = false;
  let error: string | null = null;
  try {
    await client.open();
    await sendAll(client, one.bytes, inBytes);
    if (one.followUp !== undefined) await sendThen(client, one.followUp);
    if (one.ends === true) client.socket.end();
    const most = Math.max(...one.allowed.map((outcome) => outcome.statuses.length));
    while (responses.length < most) {
      const response = await client.response(one.methods?.[responses.length] ?? 'GET');
      if (response === null) break;
      responses.push(response);
    }
    hasClosed = await isClosedNow(client, responses, one.ends === true);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  } finally {
    client.destroy();
  }
  const after = await checkAfter(target);
  const isOfCase = (seen: SeenRequest): boolean => !/ \/(after|sentinel) /.test(seen.line);
  return {
    responses,
    hasClosed: hasClosed || client.isEnded,
    seen: origin.seen.filter(isOfCase),
    partial: [...origin.partial.values()],
    unclean: [...origin.unclean],
    error: error ?? after,
  };
}

async function sendAll(client: Client, bytes: string, inBytes: boolean): Promise<void> {
  if (!inBytes) {
    client.send(bytes);
    return;
  }
  // One byte per segment: no-delay is on, and a turn of the loop lies between two writes.
  for (const byte of bytes) {
    if (client.isEnded || client.isClosed) return;
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function sendThen(client: Client, bytes: string): Promise<void> {
  await until(
    'a first answer',
    ANSWER_MS,
    () => client.reader.pending.length > 0 || client.isEnded,
  );
  client.send(bytes);
}

/**
 * Whether the link goes on: a sentinel request must get the next answer. Anything that stands before
 * it is an answer too many, which is recorded as one.
 */
async function isClosedNow(
  client: Client,
  responses: Response[],
  hasEnded: boolean,
): Promise<boolean> {
  if (client.isEnded || client.isClosed) {
    drainInto(client, responses);
    return true;
  }
  if (hasEnded) {
    await client.ended();
    drainInto(client, responses);
    return true;
  }
  client.send(SENTINEL);
  for (;;) {
    const response = await client.response();
    if (response === null) return true;
    if (response.status === 200 && response.body.toString().includes('/sentinel')) return false;
    responses.push(response);
    if (responses.length > 20) return false;
  }
}

function drainInto(client: Client, responses: Response[]): void {
  for (;;) {
    const response = client.reader.next('GET');
    if (response === null) return;
    responses.push(response);
  }
}

/** A request of somebody else must get its own answer: no poisoned upstream link is left behind. */
async function checkAfter(target: RawTarget): Promise<string | null> {
  const client = new Client({ port: target.port, timeoutMs: ANSWER_MS });
  try {
    await client.open();
    const response = await client.request('GET /after HTTP/1.1\r\nHost: lb.test\r\n\r\n');
    const body = response.body.toString();
    return response.status === 200 && body.startsWith('GET /after ')
      ? null
      : `the next client got ${response.status} ${body.slice(0, 100)}`;
  } catch (error) {
    return `the next client: ${String(error)}`;
  } finally {
    client.destroy();
  }
}

/** Null when the observation is one of the allowed outcomes, else what was seen. */
export function judge(one: RawCase, seen: Observation): string | null {
  const problems = one.allowed.map((outcome) => mismatch(outcome, seen));
  if (seen.unclean.length === 0 && problems.includes(null)) return null;
  const shown = {
    why: problems.join(' | '),
    statuses: seen.responses.map((response) => response.status),
    hasClosed: seen.hasClosed,
    seen: seen.seen,
    partial: seen.partial,
    unclean: seen.unclean,
    error: seen.error,
    sent: one.bytes.slice(0, 300),
  };
  return `${one.id} [${one.grade}] ${one.source}: ${JSON.stringify(shown, null, 1)}`;
}

function mismatch(outcome: Outcome, seen: Observation): string | null {
  if (seen.error !== null) return seen.error;
  const got = seen.responses.map((response) => response.status);
  if (got.length !== outcome.statuses.length) return `answers ${got.join()}`;
  for (const [index, set] of outcome.statuses.entries()) {
    if (!set.includes(got[index]!)) return `status ${got[index]} not in ${set.join()}`;
  }
  if (outcome.closes !== null && outcome.closes !== seen.hasClosed) {
    return seen.hasClosed ? 'closed' : 'not closed';
  }
  if (outcome.isNothingForwarded === true && seen.partial.length > 0) return 'a part was forwarded';
  const problem = outcome.seen === null ? null : allSeenMismatch(outcome.seen, seen.seen);
  if (problem !== null) return problem;
  return outcome.holds?.(seen.responses) === false ? 'the answers are not as required' : null;
}

function allSeenMismatch(
  expected: readonly SeenExpectation[],
  seen: readonly SeenRequest[],
): string | null {
  if (seen.length !== expected.length) return `${seen.length} requests forwarded`;
  for (const [index, one] of expected.entries()) {
    const problem = seenMismatch(one, seen[index]!);
    if (problem !== null) return problem;
  }
  return null;
}

function seenMismatch(expected: SeenExpectation, seen: SeenRequest): string | null {
  if (expected.line !== undefined && expected.line !== seen.line) return `line ${seen.line}`;
  if (expected.body !== undefined && expected.body !== seen.body) return `body ${seen.body}`;
  const names = new Set((expected.has ?? []).map(([name]) => name.toLowerCase()));
  for (const name of names) {
    const of = (list: readonly (readonly [string, string])[]): string[] =>
      list.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
    const wanted = of(expected.has ?? []);
    const got = of(seen.fields);
    if (wanted.join('\n') !== got.join('\n')) return `${name}: ${JSON.stringify(got)}`;
  }
  for (const name of expected.lacks ?? []) {
    if (seen.fields.some(([key]) => key.toLowerCase() === name.toLowerCase())) return `has ${name}`;
  }
  return expected.holds?.(seen) === false ? 'the forwarded request is not as required' : null;
}
