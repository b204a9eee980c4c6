import { histogramBuckets, mergeInto } from '../../base/histogram.ts';
import type { Pool, Server, Snapshot } from '../../model/snapshot.ts';
import {
  type Column,
  ListenerColumn,
  listenerColumns,
  poolColumns,
  RouteColumn,
  reasonCodes,
  routeColumns,
  ServerColumn,
  serverColumns,
  TimingColumn,
} from '../../observe/columns.ts';
import { type CounterOwner, endedOf } from '../../observe/counters.ts';
import { poolValues } from '../../observe/pool-values.ts';
import { type OutlookFigures, outlookMetrics } from '../outlook/outlook-metrics.ts';
import type { HealthCounts } from '../probe/server-health.ts';
import type { ProcessStatus, TrafficMeans } from './build-status.ts';
import { linksOf } from './build-status.ts';
import { byPool, type DepartedCounts } from './departed.ts';
import {
  type Exemplar,
  Exposition,
  type ExpositionFormat,
  type Family,
  type LabelText,
  labelText,
} from './exposition.ts';
import {
  accessLogMetrics,
  processMetrics,
  type ThreadMeans,
  tracingMetrics,
} from './process-metrics.ts';
import type { AccessLogStatus, DiscoveryStatus, ServerState } from './status.ts';

const states: readonly ServerState[] = [
  'up',
  'down',
  'draining',
  'ejected',
  'refusing',
  'unresolved',
];

/** What the metrics are made of. */
export interface MetricsInput {
  readonly process: ProcessStatus;
  readonly threads: ThreadMeans;
  readonly traffic: TrafficMeans;
  /** Recent slow requests of a route, by its slot. */
  readonly exemplarsOf: (route: number) => readonly Exemplar[];
  /** Null when no access log is written. */
  readonly accessLog: AccessLogStatus | null;
  /** What lies ahead; absent where nothing is said of it. */
  readonly outlook?: OutlookFigures;
}

/** Owners written between two looks at the clock: some tenths of a millisecond. */
const STEP_MAX = 8;

/**
 * All metrics as text, in steps, so that a thread with thousands of servers can do other things in
 * between. Cost: some 70 counters and three histograms per owner; histograms without a sample are
 * left out, as are reason words that never came up.
 */
export function* metricsSteps(
  { process, threads, traffic, exemplarsOf, accessLog, outlook }: MetricsInput,
  format: ExpositionFormat,
): Generator<void, string> {
  const out = new Exposition(format);
  processMetrics(out, process, threads);
  const owners = new OwnerMetrics(out, traffic);
  let written = 0;
  const { snapshot, departed } = traffic;
  for (const listener of snapshot.listeners) owners.listener(listener);
  for (const { name, values } of departed.of('listener')) owners.leftListener(name, values);
  for (const { slot, name } of snapshot.routes) {
    owners.route(name, slot, exemplarsOf(slot));
    if (++written % STEP_MAX === 0) yield;
  }
  for (const { name, slot, values } of departed.of('route')) owners.leftRoute(name, slot, values);
  const left = byPool(departed.of('server'));
  for (const pool of snapshot.pools) {
    for (const server of pool.servers) {
      owners.server(pool, server);
      if (++written % STEP_MAX === 0) yield;
    }
    owners.pool(pool, left.get(pool.name) ?? []);
    yield;
  }
  for (const { name, slot, values } of departed.of('pool')) {
    owners.leftPool(name, slot, values, left.get(name) ?? []);
  }
  for (const servers of left.values()) {
    for (const server of servers) owners.leftServer(server);
    yield;
  }
  owners.failures();
  if (accessLog !== null) accessLogMetrics(out, accessLog);
  if (process.tracing !== null) tracingMetrics(out, process.tracing);
  if (outlook !== undefined) outlookMetrics(out, outlook);
  yield;
  return out.text();
}

/** Writes the metrics of owners of counters. One per answer. */
class OwnerMetrics {
  readonly #out: Exposition;
  readonly #traffic: TrafficMeans;
  readonly #reasons: number[] = reasonCodes.map(() => 0);
  readonly #columnsOf = new Map<CounterOwner, OwnerFamilies>();
  /** Of a pool's servers, while its turn lasts: rows, sums of durations by timing, exchanges that run. */
  #rows: (readonly number[])[] = [];
  #sums: Float64Array[] = emptySums();
  #inFlight = 0;

  constructor(out: Exposition, traffic: TrafficMeans) {
    this.#out = out;
    this.#traffic = traffic;
  }

  listener({ slot, name }: Snapshot['listeners'][number]): void {
    const labels = labelText({ listener: name });
    const values = this.#traffic.counters.row('listener', slot);
    this.leftListener(name, values);
    const links = linksOf(this.#traffic, slot);
    this.#out.gauge('evenkeel_listener_links', 'Links now open.').add(links, labels);
    const inFlight = Math.max(0, values[ListenerColumn.STARTED]! - endedOf(values));
    this.#out.gauge('evenkeel_listener_in_flight', RUNNING).add(inFlight, labels);
    this.#durations('listener', slot, labels);
  }

  leftListener(name: string, values: readonly number[]): void {
    this.#columns('listener', listenerColumns, values, labelText({ listener: name }));
    for (let reason = 0; reason < reasonCodes.length; reason++) {
      this.#reasons[reason]! += values[ListenerColumn.REASONS + reason] ?? 0;
    }
  }

  route(name: string, slot: number, exemplars: readonly Exemplar[]): void {
    const values = this.#traffic.counters.row('route', slot);
    const inFlight = Math.max(0, values[RouteColumn.STARTED]! - endedOf(values));
    const labels = labelText({ route: name });
    this.#out.gauge('evenkeel_route_in_flight', RUNNING).add(inFlight, labels);
    this.leftRoute(name, slot, values, exemplars);
  }

  leftRoute(
    name: string,
    slot: number | null,
    values: readonly number[],
    exemplars: readonly Exemplar[] = [],
  ): void {
    const labels = labelText({ route: name });
    this.#columns('route', routeColumns, values, labels);
    if (slot !== null && endedOf(values) > 0) this.#durations('route', slot, labels, exemplars);
  }

  server(pool: Pool, server: Server): void {
    const { counters, healthOf, words } = this.#traffic;
    const labels = labelText({ pool: pool.name, server: server.address });
    const values = counters.row('server', server.slot);
    this.#rows.push(values);
    this.#inFlight += Atomics.load(words.inFlight, server.slot);
    this.#server(labels, server.slot, values);
    const out = this.#out;
    const health = healthOf(server.slot);
    const isUp = Number(health?.state === 'up');
    out.gauge('evenkeel_server_up', '1 while the server takes new traffic.').add(isUp, labels);
    out.gauge('evenkeel_server_weight', 'Weight in force.').add(server.weight, labels);
    if (health !== null) this.#health(health.counts, labels);
    if (!server.pendingMax) return;
    const pending = Atomics.load(words.pending, server.slot);
    const waiting = 'Exchanges that wait for its answer.';
    out.gauge('evenkeel_server_pending', waiting).add(pending, labels);
  }

  #health({ passes, failures, ejections, changes }: HealthCounts, labels: LabelText): void {
    const probes = this.#out.counter('evenkeel_server_probes_total', 'Probes ended, by result.');
    if (passes + failures > 0) {
      probes.add(passes, `${labels},result="pass"` as LabelText);
      probes.add(failures, `${labels},result="fail"` as LabelText);
    }
    const ejected = 'Times that passive health took the server out.';
    this.#out.counter('evenkeel_server_ejections_total', ejected).add(ejections, labels);
    const changed = 'Changes of the state of its health.';
    this.#out.counter('evenkeel_server_state_changes_total', changed).add(changes, labels);
  }

  /** A pool whose servers have just been written. */
  pool(pool: Pool, left: readonly DepartedCounts[]): void {
    const out = this.#out;
    const { counters, healthOf, words } = this.#traffic;
    const labels = labelText({ pool: pool.name });
    const own = counters.row('pool', pool.slot);
    const rows = [...this.#rows, ...left.map(({ values }) => values)];
    this.#pool(labels, own, poolValues(own, rows));
    out.gauge('evenkeel_pool_in_flight', RUNNING).add(this.#inFlight, labels);
    this.#rows = [];
    this.#inFlight = 0;
    const waiting = Atomics.load(words.poolQueued, pool.slot);
    out.gauge('evenkeel_pool_waiting', 'Requests that wait for a place now.').add(waiting, labels);
    const found = pool.servers.map(({ slot }) => healthOf(slot)?.state ?? 'down');
    for (const state of states) {
      const count = found.filter((each) => each === state).length;
      const stated = labelText({ pool: pool.name, state });
      out.gauge('evenkeel_pool_servers', 'Servers by state.').add(count, stated);
    }
    this.#poolDurations(labels, pool.slot, left);
    for (const source of this.#traffic.discoveryOf(pool.name)) this.#discovery(pool.name, source);
  }

  /** Counters of a pool that left go on, gauges end. */
  leftPool(
    name: string,
    slot: number | null,
    own: readonly number[],
    left: readonly DepartedCounts[],
  ): void {
    const labels = labelText({ pool: name });
    const values = poolValues(
      own,
      left.map((server) => server.values),
    );
    this.#pool(labels, own, values);
    if (slot !== null) this.#poolDurations(labels, slot, left);
  }

  leftServer({ pool, name, slot, values }: DepartedCounts): void {
    this.#server(labelText({ pool: pool ?? '', server: name }), slot, values);
  }

  /** Reasons over all listeners; call it last. */
  failures(): void {
    const help = 'Exchanges ended by a failure, by reason word.';
    const family = this.#out.counter('evenkeel_failures_total', help);
    this.#reasons.forEach((count, index) => {
      family.add(count, labelText({ reason: reasonCodes[index]! }));
    });
  }

  #server(labels: LabelText, slot: number | null, values: readonly number[]): void {
    this.#columns('server', serverColumns, values, labels);
    const attempts = (values[ServerColumn.DIALS] ?? 0) + (values[ServerColumn.REUSES] ?? 0);
    const help = 'Attempts made at this server.';
    this.#out.counter('evenkeel_server_attempts_total', help).add(attempts, labels);
    if (slot === null) return;
    const inFlight = Atomics.load(this.#traffic.words.inFlight, slot);
    this.#out.gauge('evenkeel_server_in_flight', RUNNING).add(inFlight, labels);
    // Histograms of servers that have counted nothing are not read.
    if (attempts > 0) this.#durations('server', slot, labels);
  }

  #pool(labels: LabelText, own: readonly number[], values: readonly number[]): void {
    this.#columns('pool', poolColumns, values, labels);
    const help = withoutServerHelp;
    this.#out.counter('evenkeel_pool_without_server_total', help).add(endedOf(own), labels);
  }

  /** A slot's counters by their columns: classes and reasons are one metric with a label each. */
  #columns(
    owner: CounterOwner,
    columns: readonly Column[],
    values: readonly number[],
    labels: LabelText,
  ): void {
    let families = this.#columnsOf.get(owner);
    if (families === undefined) {
      families = familiesOf(this.#out, owner, columns);
      this.#columnsOf.set(owner, families);
    }
    families.requests.add(endedOf(values), labels);
    for (let index = 0; index < columns.length; index++) {
      const { family, suffix, isReason } = families.columns[index]!;
      const value = values[index] ?? 0;
      if (family === null || (isReason && value === 0)) continue;
      family.add(value, suffix === '' ? labels : ((labels + suffix) as LabelText));
    }
  }

  #durations(
    owner: CounterOwner,
    slot: number,
    labels: LabelText,
    exemplars: readonly Exemplar[] = [],
  ): void {
    for (const [timing, name, help] of timings) {
      const cells = this.#traffic.histograms.read(owner, slot, timing);
      // Those that left come last, when no pool follows.
      if (owner === 'server') mergeInto(this.#sums[timing]!, cells);
      const shown = timing === TimingColumn.TOTAL ? exemplars : [];
      this.#out
        .histogram(`evenkeel_${owner}_${name}_seconds`, help)
        .addHistogram(cells, labels, shown);
    }
  }

  /** A pool's own, those of its servers, which have just been written, and of those that left it. */
  #poolDurations(labels: LabelText, slot: number, left: readonly DepartedCounts[]): void {
    const { histograms } = this.#traffic;
    for (const [timing, name, help] of timings) {
      const cells = this.#sums[timing]!;
      histograms.addTo(cells, 'pool', slot, timing);
      for (const server of left) {
        if (server.slot !== null) histograms.addTo(cells, 'server', server.slot, timing);
      }
      this.#out.histogram(`evenkeel_pool_${name}_seconds`, help).addHistogram(cells, labels);
    }
    this.#sums = emptySums();
  }

  #discovery(pool: string, status: DiscoveryStatus): void {
    const out = this.#out;
    const labels = labelText({ pool, source: status.source });
    const isUp = Number(status.state === 'ok' || status.state === 'holding');
    out.gauge('evenkeel_discovery_up', '1 while the source answers.').add(isUp, labels);
    const isHolding = Number(status.state === 'holding');
    const held = '1 while an answer is held back.';
    out.gauge('evenkeel_discovery_holding', held).add(isHolding, labels);
    const { servers, answers, failures, heldAnswers, changedAtMs } = status;
    const found = 'Servers in use that it found.';
    out.gauge('evenkeel_discovery_servers', found).add(servers, labels);
    out.counter('evenkeel_discovery_answers_total', 'Answers.').add(answers, labels);
    const unanswered = 'Questions without answer.';
    out.counter('evenkeel_discovery_failures_total', unanswered).add(failures, labels);
    out.counter('evenkeel_discovery_held_total', 'Answers held back.').add(heldAnswers, labels);
    if (changedAtMs === null) return;
    const changedAt = 'When what is in use last changed.';
    out.gauge('evenkeel_discovery_changed_time_seconds', changedAt).add(changedAtMs / 1000, labels);
  }
}

const RUNNING = 'Exchanges and tunnels now running.';
const withoutServerHelp =
  'Exchanges that ended without any server: refused, answered here, or none could be chosen.';

const timings = [
  [TimingColumn.CONNECT, 'connect', 'Time to connect to a server.'],
  [TimingColumn.FIRST_BYTE, 'first_byte', 'Time from the request to the first byte of the answer.'],
  [TimingColumn.TOTAL, 'duration', 'Time of whole exchanges.'],
] as const;

function emptySums(): Float64Array[] {
  return timings.map(() => new Float64Array(histogramBuckets));
}

/** The metrics of one kind of owner, made once for all of its owners. */
interface OwnerFamilies {
  readonly requests: Family;
  readonly columns: readonly {
    /** Null for a column that is shown in another way. */
    readonly family: Family | null;
    /** Label of the column, to stand behind those of the owner. */
    readonly suffix: string;
    readonly isReason: boolean;
  }[];
}

function familiesOf(
  out: Exposition,
  owner: CounterOwner,
  columns: readonly Column[],
): OwnerFamilies {
  const requests = 'Exchanges ended, whatever their end.';
  return {
    requests: out.counter(`evenkeel_${owner}_requests_total`, requests),
    columns: columns.map(({ key, metric, label, help }) => ({
      family: key === 'started' ? null : out.counter(`evenkeel_${owner}_${metric}_total`, help),
      suffix: label === null ? '' : `,${label[0]}="${label[1]}"`,
      isReason: label?.[0] === 'reason',
    })),
  };
}
