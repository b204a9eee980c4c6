import { InvariantError } from '../base/invariant.ts';
import { createRandom } from '../base/prng.ts';
import type { ConfigPool } from '../control/config/config.ts';
import { toSnapshot } from '../control/config/to-snapshot.ts';
import { HealthKeeper } from '../control/probe/keeper.ts';
import { trafficReadings } from '../control/probe/traffic-readings.ts';
import type { DataPlane } from '../data/worker.ts';
import { createDataPlane } from '../data/worker.ts';
import { ageBudgets } from '../limit/retry-budget.ts';
import type { FailureCode } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import type { FromWorker, WorkerStart } from '../model/messages.ts';
import { allocateShared, attachWords, type SharedBuffers } from '../model/shared-memory.ts';
import type { DialAddress, Pool, Snapshot } from '../model/snapshot.ts';
import { ListenerColumn, PoolColumn, reasonCodes } from '../observe/columns.ts';
import { CounterReader, counterCount } from '../observe/counters.ts';
import { HistogramReader, histogramWords } from '../observe/histograms.ts';
import { Clients } from './clients.ts';
import { Digest } from './digest.ts';
import { type Network, SimulatedDriver, type SimulatedLink } from './driver.ts';
import { Invariants } from './invariants.ts';
import { simulatedProbes, simulatedPrograms } from './probe-network.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedServer } from './server.ts';
import { Tally } from './tally.ts';
import { SimulatedClock, SimulatedThread } from './thread.ts';
import { Timeline } from './timeline.ts';

/** A message from a worker takes this long to control. */
const MESSAGE_US = 200;
const BUDGET_AGE_MS = 1_000;
/** Clients begin when first probes have had their time, as at the start of a balancer. */
const START_US = 500_000;
/** After the last arrival requests have so long to end, beyond their own time-outs. */
const SETTLE_US = 10_000_000;

/** A verdict that changed, for the report. */
export interface Happening {
  readonly atUs: number;
  readonly what: string;
}

/** How often exchanges ended for a reason. */
export interface ReasonCount {
  readonly reason: FailureCode;
  readonly count: number;
}

/**
 * One run: the real data plane of each worker, the real health keeper and the real retry budgets, on
 * simulated time, network, servers and clients. Nothing in it but the seed is random.
 *
 *   clients ──links──▶ SimulatedDriver ─▶ createDataPlane (× workers) ──links──▶ servers
 *                              shared words and counters  ▲
 *                         HealthKeeper on SimulatedClock ─┘ ◀── probes ──▶ servers
 */
export class World implements Network {
  readonly timeline: Timeline = new Timeline();
  readonly scenario: Scenario;
  readonly servers: SimulatedServer[];
  readonly clients: Clients;
  readonly tally: Tally;
  readonly invariants: Invariants;
  readonly digest: Digest = new Digest();
  readonly shared: SharedBuffers;
  readonly clock: SimulatedClock;
  readonly threads: readonly SimulatedThread[];
  readonly happenings: Happening[] = [];
  snapshot: Snapshot;
  readonly #pool: ConfigPool;
  readonly #counters: CounterReader;
  readonly #keeper: HealthKeeper;
  readonly #planes: DataPlane[];
  readonly #drivers: SimulatedDriver[];
  readonly #byHost = new Map<string, SimulatedServer>();
  #version = 0;

  /** `pool`: that of the scenario, perhaps with another policy. */
  constructor(scenario: Scenario, pool: ConfigPool, seed: number) {
    this.scenario = scenario;
    this.#pool = pool;
    const { workers, delayUs, durationUs, warmUpUs } = scenario;
    const sizes = { counterCount: counterCount(workers), histogramWords: histogramWords(workers) };
    this.shared = allocateShared(workers, sizes);
    const words = attachWords(this.shared);
    const random = (stream: number): (() => number) => createRandom(seed * 1009 + stream);
    const { timeline } = this;
    const control = new SimulatedThread(timeline);
    this.clock = new SimulatedClock(control);
    this.tally = new Tally(durationUs, warmUpUs);
    this.servers = this.#makeServers(random(1));
    this.snapshot = this.#snapshotNow();
    this.invariants = new Invariants({
      words,
      workers,
      slotsPerWorker: limits.serverSlots,
      nowUs: () => timeline.nowUs,
      limits: pool.servers.map(({ connectionsMax }, slot) => [slot, connectionsMax] as const),
      pool: () => this.#snapshotPool(),
      requestOf: (id) => this.clients.open.get(id),
    });
    this.#counters = new CounterReader(this.shared);
    this.#keeper = new HealthKeeper({
      words,
      clock: this.clock,
      connect: simulatedProbes(control, delayUs, (host) => this.#byHost.get(host)),
      run: simulatedPrograms(this.clock),
      readings: trafficReadings(this.#counters, new HistogramReader(this.shared)),
      random: random(2),
      drainedUntil: () => null,
      log: (_level, message) => this.#note(message),
    });
    this.#keeper.apply(this.snapshot);
    this.clock.every(BUDGET_AGE_MS, () => ageBudgets(words.retryTokens, limits.pools));
    const all = Array.from({ length: workers }, () => new SimulatedThread(timeline));
    this.threads = [control, ...all];
    this.#drivers = all.map((thread) => new SimulatedDriver(thread, this));
    this.#planes = this.#drivers.map((driver, worker) => this.#makePlane(driver, worker, random));
    this.clients = new Clients(scenario.clients, {
      timeline,
      random: random(3),
      delayUs,
      key: pool.balancing.key,
      drivers: this.#drivers,
      tally: this.tally,
      watcher: {
        ended: (request, outcome) => this.digest.add(request.id, outcome, timeline.nowUs),
      },
    });
  }

  /** Attempts that the balancer repeated at the cost of the budget, and those that it was refused. */
  get retries(): { readonly made: number; readonly denied: number } {
    const of = (column: number): number =>
      this.#counters.one('pool', this.#snapshotPool().slot, column);
    return { made: of(PoolColumn.RETRIES), denied: of(PoolColumn.RETRIES_DENIED) };
  }

  /** Waits in the balancer's own queue. */
  get waits(): number {
    return this.#counters.one('pool', this.#snapshotPool().slot, PoolColumn.QUEUED);
  }

  /** How often each reason was the end of an exchange in the balancer's books, the most frequent first. */
  get reasons(): readonly ReasonCount[] {
    const row = this.#counters.row('listener', 0);
    return reasonCodes
      .map((reason, at) => ({ reason, count: row[ListenerColumn.REASONS + at] ?? 0 }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count);
  }

  /** Runs to the end and checks what must hold there. */
  run(): void {
    try {
      this.#runToEnd();
    } catch (error) {
      // What would end a worker ends the run.
      if (!(error instanceof InvariantError)) throw error;
      this.invariants.report(error.message);
    }
    this.tally.finish();
    this.#keeper.stop();
  }

  dialled(link: SimulatedLink, address: DialAddress): void {
    const server = address.kind === 'ip' ? this.#byHost.get(address.host) : undefined;
    if (server === undefined) SimulatedServer.unreachable(link);
    else server.dialled(link);
  }

  /** Servers joined or left: the balancer gets a new snapshot, as after a reload. */
  publish(): void {
    this.snapshot = this.#snapshotNow();
    this.#keeper.apply(this.snapshot);
    for (const plane of this.#planes) plane.apply(this.snapshot, sockets);
  }

  #runToEnd(): void {
    const { durationUs, warmUpUs, clients: plan } = this.scenario;
    const { timeline, invariants, clients } = this;
    timeline.call(warmUpUs, () => {
      for (const server of this.servers) server.forget();
    });
    this.#sweepAgain();
    timeline.call(START_US, () => clients.start());
    while (timeline.step(durationUs)) invariants.onStep();
    clients.stop();
    const endUs = durationUs + plan.timeoutUs + SETTLE_US;
    while (clients.open.size > 0 && timeline.step(endUs)) invariants.onStep();
    // What clients no longer wait for ends by the balancer's own time-outs.
    const quietUs = timeline.nowUs + SETTLE_US;
    while (timeline.step(quietUs)) invariants.onStep();
    const ended = this.#counters.ended('listener', 0);
    invariants.atEnd(clients.open.values(), clients.sent, ended);
  }

  #makeServers(random: () => number): SimulatedServer[] {
    const means = {
      timeline: this.timeline,
      random,
      delayUs: this.scenario.delayUs,
      watcher: {
        picked: (server: SimulatedServer) => this.invariants.onPicked(server),
        sent: (server: SimulatedServer, id: number, isPost: boolean) =>
          this.invariants.onSent(server, id, isPost),
      },
    };
    return this.scenario.servers.map((plan, index) => {
      const { address } = this.#pool.servers[index]!;
      const server = new SimulatedServer(index, index, address, plan, means);
      this.#byHost.set(hostOf(index), server);
      return server;
    });
  }

  #snapshotPool(): Pool {
    return this.snapshot.pools[0]!;
  }

  #snapshotNow(): Snapshot {
    const { nowUs } = this.timeline;
    const indexes = new Map(this.#pool.servers.map(({ address }, index) => [address, index]));
    const present = this.#pool.servers.filter((_, index) => {
      const { joinsAtUs, leavesAtUs } = this.scenario.servers[index]!;
      return joinsAtUs <= nowUs && nowUs < leavesAtUs;
    });
    const config = { ...this.scenario.config, pools: [{ ...this.#pool, servers: present }] };
    const assign = {
      listener: () => 0,
      route: () => 0,
      pool: () => 0,
      server: (_pool: string, address: string) => indexes.get(address)!,
    };
    const resolve = (address: string): DialAddress => ({
      kind: 'ip',
      host: hostOf(indexes.get(address)!),
      port: 80,
    });
    return toSnapshot(config, assign, resolve, ++this.#version);
  }

  #makePlane(
    driver: SimulatedDriver,
    worker: number,
    random: (stream: number) => () => number,
  ): DataPlane {
    const start: WorkerStart = {
      worker,
      driver: 'portable',
      shared: this.shared,
      snapshot: this.snapshot,
      sockets,
      seed: 0,
      areFaultsArmed: false,
    };
    return createDataPlane({
      start,
      driver,
      post: (message) => this.#posted(message),
      random: random(10 + worker),
      wallClock: () => this.clock.wallMs(),
    });
  }

  /** First verdicts before there are clients tell nothing. */
  #note(message: string): void {
    const atUs = this.timeline.nowUs;
    if (atUs < START_US) return;
    this.happenings.push({ atUs, what: message.replace(`pool ${this.#pool.name}, server `, '') });
  }

  #posted(message: FromWorker): void {
    if (message.type !== 'streak') return;
    const { slot, code, count } = message;
    this.threads[0]!.after(MESSAGE_US, () => this.#keeper.onStreak(slot, code, count));
  }

  #sweepAgain(): void {
    this.invariants.sweep();
    this.timeline.call(limits.timerTickMs * 1000, () => this.#sweepAgain());
  }
}

const sockets = { web: { kind: 'descriptor', fd: 0 } } as const;

/** `10.128.0.0` and following: one address per server. */
function hostOf(index: number): string {
  return `10.${128 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}`;
}
