import type { ExplainOutcome, ExplainRequest } from '../explain/explanation.ts';
import type { HistoryOutcome, OpenQuestion } from '../history/questions.ts';
import type {
  BalancerControl,
  ConfigText,
  OperationOutcome,
  OperationProblem,
  PreviewOutcome,
  ReloadOutcome,
  ServerOperation,
  UpgradeOutcome,
} from '../publish/operations.ts';
import type { ExpositionFormat } from '../report/exposition.ts';
import type { PoolHealthReport } from '../report/health-report.ts';
import type { StatusReport } from '../report/status.ts';

/** A report with one pool `web` of one server: for tests of what shows or serves it. */
export const sampleStatus: StatusReport = {
  version: '0.1.0',
  startedAtMs: 1_000_000,
  pids: { supervisor: 10, balancer: 11, leaving: [] },
  driver: { name: 'portable', reason: 'asked for' },
  isDraining: false,
  workers: [
    { index: 0, state: 'ready', heartbeatAgeMs: 5, restarts: 0, appliedVersion: 3, gauges: {} },
  ],
  configuration: {
    file: '/etc/a.yaml',
    version: 3,
    lastReload: null,
    reloads: 0,
    failedReloads: 0,
  },
  accessLog: { writtenBytes: 100, queuedBytes: 0, droppedLines: 0, error: null },
  tracing: null,
  listeners: [
    {
      name: 'web',
      address: ':8080',
      port: 8080,
      protocol: 'http',
      links: 4,
      accepted: 9,
      requests: 100,
      withoutServer: 0,
      responses: { '1xx': 0, '2xx': 100, '3xx': 0, '4xx': 0, '5xx': 0, aborted: 0 },
      bytesIn: 1,
      bytesOut: 2,
    },
  ],
  routes: [{ name: 'all', pool: 'web', requests: 100, withoutServer: 0 }],
  pools: [
    {
      name: 'web',
      policy: 'p2c',
      requests: 100,
      withoutServer: 0,
      responses: { '1xx': 0, '2xx': 100, '3xx': 0, '4xx': 0, '5xx': 0, aborted: 0 },
      inFlight: 2,
      queued: 0,
      load: 2,
      maxConnections: null,
      queueSize: null,
      requestsPerSecond: 12.5,
      retries: 1,
      condition: 'well',
      why: 'all 1 servers take traffic',
      servers: [
        {
          address: '10.0.0.1:3000',
          slot: 0,
          weight: 1,
          isBackup: false,
          state: 'up',
          why: 'probe: status 200',
          inFlight: 2,
          pending: null,
          maxConnections: null,
          maxPending: null,
          requests: 100,
          requestsPerSecond: 12.5,
          errors: 0,
          latencyMs: { p50: 1.2, p90: 2.3, p99: 4.5 },
          history: [],
        },
      ],
      removed: [],
      discovery: [],
    },
  ],
  removed: { listeners: [], routes: [], pools: [] },
};

const sampleEvents: ReturnType<BalancerControl['watch']['events']> = [
  {
    id: 1,
    atMs: 1,
    kind: 'process',
    level: 'info',
    pool: null,
    server: null,
    text: 'takes traffic',
  },
  { id: 2, atMs: 2, kind: 'health', level: 'warn', pool: 'web', server: 'a:1', text: 'down: no' },
];

/** Remembers what it was asked to do; refuses with `problem` when that is set. For tests. */
export class FakeControl implements BalancerControl {
  calls: string[] = [];
  isUpgrading = false;
  upgradeOutcome: UpgradeOutcome = { ok: true, pid: 12 };
  problem: OperationProblem['code'] | null = null;
  reloadProblems: readonly string[] | null = null;
  isTakingTraffic = true;
  /** Streams that were begun and have not ended. */
  watchers = 0;
  readonly watch: BalancerControl['watch'] = {
    events: (after) => sampleEvents.filter(({ id }) => id > after),
    live: (send) => this.#watcher(() => send('tick', '{}')),
    tail: (filter, send) => this.#watcher(() => send('line', JSON.stringify(filter))),
  };

  status(): StatusReport {
    return sampleStatus;
  }

  health(pool: string): PoolHealthReport | null {
    if (pool !== 'web') return null;
    return {
      pool,
      atMs: 2_000_000,
      condition: 'well',
      why: 'all 1 servers',
      next: null,
      load: { inFlight: 0, inFlightMax: null, waiting: 0, queueSize: null, says: null },
      breaker: null,
      servers: [],
    };
  }

  reload(): Promise<ReloadOutcome> {
    this.calls.push('reload');
    const problems = this.reloadProblems;
    return Promise.resolve(
      problems === null
        ? { ok: true, version: 4, changes: ['pool web changed'] }
        : { ok: false, problems },
    );
  }

  reopenLogs(): Promise<void> {
    this.calls.push('reopenLogs');
    return Promise.resolve();
  }

  stop(): void {
    this.calls.push('stop');
  }

  preview(candidate: ConfigText | null): Promise<PreviewOutcome> {
    this.calls.push(`preview ${candidate?.name ?? 'file'}`);
    const problems = this.reloadProblems;
    const impact = { changes: [], touched: { links: 0, exchanges: 0 } };
    return Promise.resolve(problems === null ? { ok: true, impact } : { ok: false, problems });
  }

  change(changes: readonly ServerOperation[]): OperationOutcome {
    const calls = changes.map((change) => {
      const { op, pool } = change;
      if (op === 'add') return `add ${pool} ${JSON.stringify(change.server)}`;
      const more = op === 'set' ? change.weight : op === 'drain' ? change.forMs : null;
      return [op, pool, change.address, ...(more === null ? [] : [more])].join(' ');
    });
    return this.#outcome(calls.join(', '));
  }

  async upgrade(): Promise<UpgradeOutcome> {
    this.calls.push('upgrade');
    return this.upgradeOutcome;
  }

  effectiveConfig(): unknown {
    return { pools: [] };
  }

  explain(asked: ExplainRequest): Promise<ExplainOutcome> {
    this.calls.push(`explain ${asked.method} ${asked.url} ${asked.headers.join()}`);
    return Promise.resolve({ ok: false, problem: 'no such thing' });
  }

  history(question: OpenQuestion): Promise<HistoryOutcome> {
    this.calls.push(`history ${JSON.stringify(question)}`);
    return Promise.resolve({ ok: true, json: '{}' });
  }

  metricsText(format: ExpositionFormat): Promise<string> {
    return Promise.resolve(`evenkeel_draining 0\n${format === 'openmetrics' ? '# EOF\n' : ''}`);
  }

  isReady(): boolean {
    return this.isTakingTraffic;
  }

  injectFault(worker: number, kind: 'invariant' | 'stuck'): OperationOutcome {
    return this.#outcome(`injectFault ${worker} ${kind}`);
  }

  #watcher(begin: () => void): () => void {
    this.watchers++;
    begin();
    return () => void this.watchers--;
  }

  #outcome(call: string): OperationOutcome {
    this.calls.push(call);
    if (this.problem === null) return { ok: true, version: 4 };
    const { problem: code } = this;
    return {
      ok: false,
      problem: { code, message: 'refused', path: null, requirement: 'x', found: 'y' },
    };
  }
}
