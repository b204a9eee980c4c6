import type { PoolPlan } from '../../capacity/plan-pool.ts';
import { Figure, figureCount, type HistoryPoint } from '../../model/history.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RunProgram } from '../../platform/run-program.ts';
import type { ConfigAlerts, ConfigScaling } from '../config/config.ts';
import { foldPoints } from '../history/fold.ts';
import type { PoolAims } from '../history/questions.ts';
import type { RecordedRow } from '../history/recorder.ts';
import type { PoolSample, TrafficSample } from '../report/sample.ts';
import { type Alert, AlertBook, type AlertDelays, type Finding } from './alert-book.ts';
import { judgePool } from './alert-rules.ts';
import { type PoolOutlook, WantedServers } from './wanted.ts';

/** What an outlook works with. */
export interface OutlookMeans {
  readonly clock: Clock;
  /** What pools aim at. */
  readonly aims: () => readonly PoolAims[];
  /** What history says of a pool; null when it cannot say. */
  readonly planOf: (pool: string) => Promise<PoolPlan | null>;
  readonly notify: (url: string, body: unknown) => void;
  readonly run: RunProgram;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

/** What is told to whom; null = nobody. */
export interface OutlookSettings {
  readonly alerts: ConfigAlerts | null;
  readonly scaling: ConfigScaling | null;
}

/** The tier whose rows are judged, and how many of them are a minute. */
const TIER = 1;
const MINUTE_ROWS = 6;
/** One pool's plan at a time so often, and each so often at most: plans cost tenths of a second. */
const PLAN_EVERY_MS = 30_000;
const PLAN_AGE_MS = 300_000;

interface PoolState {
  readonly points: HistoryPoint[];
  readonly wanted: WantedServers;
  plannedMs: number;
  toldServers: number | null;
  toldMs: number;
}

/** What lies ahead of the pools now: room, servers wanted, alerts. Tells whoever the configuration names. */
export class Outlook {
  readonly #means: OutlookMeans;
  readonly #pools = new Map<string, PoolState>();
  readonly #book = new AlertBook();
  #settings: OutlookSettings = { alerts: null, scaling: null };
  #figures: readonly PoolOutlook[] = [];
  #plannedMs = 0;

  constructor(means: OutlookMeans) {
    this.#means = means;
  }

  /** Pools of which something is known. */
  get figures(): readonly PoolOutlook[] {
    return this.#figures;
  }

  /** Alerts raised now. */
  get alerts(): readonly Alert[] {
    return this.#book.raised;
  }

  use(settings: OutlookSettings): void {
    this.#settings = settings;
    // Off means: nothing is raised any more.
    if (settings.alerts === null) this.#book.forget(Number.POSITIVE_INFINITY);
  }

  /** Takes what history took in a second. */
  take(atMs: number, sample: TrafficSample, rows: readonly RecordedRow[]): void {
    const row = rows.find(({ tier }) => tier === TIER);
    if (row !== undefined) this.#takeRow(row, sample);
    this.#judgeServers(atMs, sample);
    if (row !== undefined) this.#planNext(atMs);
  }

  #takeRow(row: RecordedRow, sample: TrafficSample): void {
    const byName = new Map(sample.pools.map((pool) => [pool.name, pool]));
    for (const name of this.#pools.keys()) if (!byName.has(name)) this.#pools.delete(name);
    const pointOf = new Map<string, HistoryPoint>();
    row.keys.forEach(({ kind, name }, index) => {
      if (kind !== 'pool') return;
      const start = index * figureCount;
      const figures = row.figures.slice(start, start + figureCount);
      pointOf.set(name, { atMs: row.atMs, spanMs: row.spanMs, figures });
    });
    const figures: PoolOutlook[] = [];
    for (const { name, p99TargetMs } of this.#means.aims()) {
      const pool = byName.get(name);
      if (pool === undefined) continue;
      const state = this.#stateOf(name);
      const { atMs, spanMs } = row;
      state.points.push(pointOf.get(name) ?? { atMs, spanMs, figures: resting });
      if (state.points.length > MINUTE_ROWS) state.points.shift();
      const outlook = this.#lookAhead(name, pool, state, atMs);
      if (outlook !== null) figures.push(outlook);
      this.#judgePool(name, state, { p99TargetMs, outlook, atMs });
    }
    this.#figures = figures;
    for (const alert of this.#book.forget(row.atMs - row.spanMs))
      this.#tell(alert, 'cleared', 'it is gone', row.atMs);
  }

  #lookAhead(name: string, pool: PoolSample, state: PoolState, atMs: number): PoolOutlook | null {
    const { spanMs, figures } = foldPoints(state.points);
    state.wanted.take(atMs, (figures[Figure.REQUESTS]! * 1_000) / spanMs);
    const up = pool.servers.filter((server) => server.state === 'up').length;
    const outlook = state.wanted.outlook(name, up);
    if (outlook !== null) this.#scale(outlook, state, atMs);
    return outlook;
  }

  #judgePool(
    name: string,
    state: PoolState,
    now: {
      readonly p99TargetMs: number | null;
      readonly outlook: PoolOutlook | null;
      readonly atMs: number;
    },
  ): void {
    const { alerts } = this.#settings;
    if (alerts === null) return;
    const { figures } = foldPoints(state.points);
    const minute = {
      name,
      requests: figures[Figure.REQUESTS]!,
      errors: figures[Figure.ERRORS]!,
      p99Ms: figures[Figure.P99_US]! / 1_000,
      p99TargetMs: now.p99TargetMs,
      headroomRatio: now.outlook?.headroomRatio ?? null,
    };
    const delays = { raiseMs: alerts.forMs, clearMs: 2 * alerts.forMs };
    for (const { alert, finding, says } of judgePool(minute, alerts)) {
      this.#judge(alert, finding, says, now.atMs, delays);
    }
  }

  #judgeServers(atMs: number, sample: TrafficSample): void {
    const { alerts } = this.#settings;
    if (alerts === null) return;
    const delays = { raiseMs: alerts.serverDownMs, clearMs: alerts.serverDownMs };
    for (const { name: pool, servers } of sample.pools) {
      for (const { address, state, why } of servers) {
        // Who drains a server knows of it.
        const finding: Finding = state === 'up' || state === 'draining' ? 'good' : 'bad';
        const alert: Alert = { rule: 'server-down', pool, server: address };
        this.#judge(alert, finding, finding === 'bad' ? `${state}: ${why}` : state, atMs, delays);
      }
    }
  }

  #judge(alert: Alert, finding: Finding, says: string, atMs: number, delays: AlertDelays): void {
    const change = this.#book.judge(alert, finding, atMs, delays);
    if (change !== null) this.#tell(alert, change, says, atMs);
  }

  #tell(alert: Alert, state: 'raised' | 'cleared', says: string, atMs: number): void {
    const { rule, pool, server } = alert;
    const where = server === null ? `pool ${pool}` : `server ${pool}/${server}`;
    this.#means.log(
      state === 'raised' ? 'warn' : 'info',
      `alert ${rule} ${state}: ${where}: ${says}`,
    );
    const url = this.#settings.alerts?.webhook ?? null;
    if (url === null) return;
    const time = new Date(atMs).toISOString();
    this.#means.notify(url, { type: 'alert', state, rule, pool, server, says, time });
  }

  #scale(outlook: PoolOutlook, state: PoolState, atMs: number): void {
    const { scaling } = this.#settings;
    const { pool, serversWanted, serversUp, headroomRatio } = outlook;
    if (scaling === null || serversWanted === state.toldServers) return;
    if (atMs - state.toldMs < scaling.everyMs) return;
    const before = state.toldServers;
    state.toldServers = serversWanted;
    state.toldMs = atMs;
    if (scaling.webhook !== null) {
      const time = new Date(atMs).toISOString();
      const body = {
        type: 'servers-wanted',
        pool,
        serversWanted,
        before,
        serversUp,
        headroomRatio,
        time,
      };
      this.#means.notify(scaling.webhook, body);
    }
    if (scaling.command !== null) this.#run(scaling.command, outlook);
  }

  #run(command: string, { pool, serversWanted, serversUp, headroomRatio }: PoolOutlook): void {
    const failed = (why: string): void => {
      this.#means.log('warn', `Cannot tell the servers wanted by ${command}: ${why}`);
    };
    const environment = {
      EVENKEEL_POOL: pool,
      EVENKEEL_SERVERS_WANTED: String(serversWanted),
      EVENKEEL_SERVERS_UP: String(serversUp),
      EVENKEEL_HEADROOM: headroomRatio.toFixed(3),
    };
    let late: { stop(): void } | null = null;
    const kill = this.#means.run(
      { command, args: [], environment },
      {
        onStarted: () => {
          late = this.#means.clock.after(COMMAND_MS, () => {
            failed(`it took longer than ${COMMAND_MS} ms`);
            kill();
          });
        },
        onExit: (code, signal) => {
          late?.stop();
          if (code !== 0) failed(code === null ? `it ended by ${signal}` : `it ended with ${code}`);
        },
        onError: (code) => failed(code),
      },
    );
  }

  #planNext(atMs: number): void {
    if (Math.abs(atMs - this.#plannedMs) < PLAN_EVERY_MS) return;
    const due = [...this.#pools].filter(([, { plannedMs, points }]) => {
      const hasTraffic = points.some(({ figures }) => figures[Figure.REQUESTS]! > 0);
      return hasTraffic && atMs - plannedMs >= PLAN_AGE_MS;
    });
    const [oldest] = due.sort(([, a], [, b]) => a.plannedMs - b.plannedMs);
    if (oldest === undefined) return;
    const [name, state] = oldest;
    this.#plannedMs = atMs;
    state.plannedMs = atMs;
    void this.#means.planOf(name).then((plan) => {
      if (plan !== null) state.wanted.usableRate = plan.usable?.rate ?? null;
    });
  }

  #stateOf(name: string): PoolState {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const state: PoolState = {
      points: [],
      wanted: new WantedServers(),
      plannedMs: 0,
      toldServers: null,
      toldMs: 0,
    };
    this.#pools.set(name, state);
    return state;
  }
}

/** A command that has not ended after this is ended. */
const COMMAND_MS = 30_000;

const resting = new Float64Array(figureCount);
