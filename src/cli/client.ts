import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type FindOptions, findInstance, isRestarting } from '../control/admin/instance.ts';
import type { PoolStatus, StatusReport } from '../control/report/status.ts';
import type { Invocation } from './command.ts';
import { CommandError, textOf } from './command.ts';

/** An answer of the admin API. */
export interface ClientAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Answers above this are not ours: status of thousands of servers is some MiB. */
const answerBytesMax = 67_108_864;
const timeoutMs = 10_000;
/** A reload evaluates a TypeScript configuration, which may take its time. */
const changeTimeoutMs = 60_000;
/**
 * A balancer that crashed is back within 2 s, its admin socket a little later; so long a command waits
 * for one whose supervisor lives, looking so often.
 */
const restartMs = 3_000;
const lookMs = 100;
/** A question that met a crash is asked again so often: one crash is an accident, two are news. */
const repeatsMax = 1;

/** Nobody answered. */
class Unreachable extends CommandError {
  /** Nothing of the question was submitted, so asking again is safe whatever it asks. */
  readonly isUnsent: boolean;
  constructor(message: string, isUnsent: boolean) {
    super(message);
    this.isUnsent = isUnsent;
  }
}

/** Speaks to one running balancer over its admin socket. */
export class AdminClient {
  readonly socket: string;
  readonly #whenBack: () => Promise<void>;

  /** `whenBack` waits, not for long, while the balancer is being started again. */
  constructor(socket: string, whenBack: () => Promise<void>) {
    this.socket = socket;
    this.#whenBack = whenBack;
  }

  /**
   * Asks and reads the whole answer, once more when the balancer crashed meanwhile and asking again
   * is safe. Errors: throws `CommandError` when nobody answers.
   */
  async ask(method: string, path: string, body?: unknown): Promise<ClientAnswer> {
    for (let repeats = 0; ; repeats++) {
      try {
        return await this.#askOnce(method, path, body);
      } catch (error) {
        if (!(error instanceof Unreachable) || repeats >= repeatsMax) throw error;
        if (!error.isUnsent && method !== 'GET') throw error;
        await this.#whenBack();
      }
    }
  }

  #askOnce(method: string, path: string, body: unknown): Promise<ClientAnswer> {
    return new Promise((resolve, reject) => {
      const fail = (why: string, code = ''): void => {
        const isUnsent = code === 'ENOENT' || code === 'ECONNREFUSED';
        reject(new Unreachable(`Cannot reach the balancer at ${this.socket}: ${why}`, isUnsent));
      };
      const asking = request(
        {
          socketPath: this.socket,
          method,
          path,
          agent: false,
          headers: { host: 'localhost', 'content-type': 'application/json' },
          timeout: method === 'GET' ? timeoutMs : changeTimeoutMs,
        },
        (response) => {
          const pieces: Buffer[] = [];
          let bytes = 0;
          response.on('data', (piece: Buffer) => {
            bytes += piece.length;
            if (bytes > answerBytesMax) asking.destroy(new Error('the answer is too large'));
            else pieces.push(piece);
          });
          response.on('error', (error) => fail(error.message));
          response.on('end', () => {
            const text = Buffer.concat(pieces).toString();
            resolve({ status: response.statusCode ?? 0, body: parseBody(text) });
          });
        },
      );
      asking.on('timeout', () => asking.destroy(new Error('no answer in time')));
      asking.on('error', (error: NodeJS.ErrnoException) => fail(error.message, error.code));
      asking.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /**
   * Follows server-sent events until `signal` or the balancer ends them. Errors: throws `CommandError` when
   * nobody answers, and with the balancer's own words when it refuses.
   */
  follow(
    path: string,
    signal: AbortSignal,
    onEvent: (event: string, json: string) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        if (signal.aborted) resolve();
        else
          reject(new CommandError(`Cannot reach the balancer at ${this.socket}: ${error.message}`));
      };
      const headers = { host: 'localhost' };
      const asking = request(
        { socketPath: this.socket, path, agent: false, headers, signal },
        (response) => {
          let waiting = '';
          response.setEncoding('utf8').on('data', (text: string) => {
            waiting += text;
            if (response.statusCode === 200) waiting = eachEvent(waiting, onEvent);
          });
          response.on('error', fail);
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            if (status === 200) resolve();
            else reject(new CommandError(errorMessage({ status, body: parseBody(waiting) })));
          });
        },
      );
      asking.on('error', fail);
      asking.end();
    });
  }

  /** Waits a moment, and not for long while the balancer is being started again. */
  async whenBack(): Promise<void> {
    await delay(lookMs);
    await this.#whenBack();
  }

  /** Asks for a change. Errors: throws `CommandError` with the balancer's own words when it is refused. */
  async change(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.ask(method, path, body);
    if (answer.status >= 400) throw new CommandError(errorMessage(answer));
    return answer.body;
  }

  /** The whole state. */
  async status(): Promise<StatusReport> {
    return (await this.change('GET', '/v1/status')) as StatusReport;
  }
}

/** The client for the balancer that an invocation means. Errors: throws `CommandError` when none is found. */
export async function connectClient({ values, cwd, env }: Invocation): Promise<AdminClient> {
  const socket = textOf(values, 'socket');
  const config = textOf(values, 'config');
  const means = { socket, config, cwd, env };
  // Before the search: one that is away for a moment must not make another one look like the only one.
  await whileRestarting(means);
  const found = await findInstance(means);
  if (!found.ok) throw new CommandError(found.problem);
  return new AdminClient(found.socket, () => whileRestarting({ ...means, socket: found.socket }));
}

async function whileRestarting(means: FindOptions): Promise<void> {
  for (let waitedMs = 0; waitedMs < restartMs; waitedMs += lookMs) {
    if (!(await isRestarting(means))) return;
    await delay(lookMs);
  }
}

/** `pool/address`, taken apart. */
export interface ServerName {
  readonly pool: string;
  readonly address: string;
}

/**
 * Reads `pool/address`, or an address alone when only one pool has it.
 * Errors: throws `CommandError` that lists what there is.
 */
export async function findServer(client: AdminClient, text: string): Promise<ServerName> {
  const { pools } = await client.status();
  const [, pool, address] = /^([a-z0-9-]+)\/(.+)$/.exec(text) ?? [];
  if (pool !== undefined && address !== undefined && pools.some(({ name }) => name === pool)) {
    return { pool, address };
  }
  const having = pools.filter(({ servers }) => servers.some((server) => server.address === text));
  const [only, another] = having;
  if (only !== undefined && another === undefined) return { pool: only.name, address: text };
  const what = only === undefined ? 'there is no server' : 'more than one pool has the server';
  throw new CommandError(`${what} ${text}; servers are:${listServers(pools)}`);
}

/** An error of the admin API as lines for people. */
export function errorMessage({ status, body }: ClientAnswer): string {
  const error = (body as { error?: { message?: unknown; problems?: unknown } } | null)?.error;
  const message = typeof error?.message === 'string' ? error.message : `the answer was ${status}`;
  const problems = Array.isArray(error?.problems) ? error.problems.map(String) : [];
  return [...problems, message].join('\n');
}

/** Gives whole events on; returns what is left. */
function eachEvent(text: string, onEvent: (event: string, json: string) => void): string {
  const parts = text.split('\n\n');
  const rest = parts.pop() ?? '';
  for (const part of parts) {
    const [, event, json] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
    if (event !== undefined && json !== undefined) onEvent(event, json);
  }
  return rest;
}

function listServers(pools: readonly PoolStatus[]): string {
  const shownMax = 20;
  const names = pools.flatMap((pool) =>
    pool.servers.map((server) => `${pool.name}/${server.address}`),
  );
  const more = names.length > shownMax ? `\n  … and ${names.length - shownMax} more` : '';
  return names.length === 0
    ? ' none'
    : names
        .slice(0, shownMax)
        .map((name) => `\n  ${name}`)
        .join('') + more;
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: metrics, or something that is no balancer; the callers' checks of the shape say so.
    return text;
  }
}
