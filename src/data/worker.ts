import type { CustomPolicies } from '../balance/custom.ts';
import { bucketOf } from '../base/histogram.ts';
import { invariant } from '../base/invariant.ts';
import { finished } from '../base/steps.ts';
import type { GeographyOf } from '../match/client.ts';
import { limits } from '../model/limits.ts';
import type { TailFilter } from '../model/live.ts';
import type { FromWorker, GeoBytes, ListenSocket, WorkerStart } from '../model/messages.ts';
import { Verdict } from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { TraceRule } from '../model/spans.ts';
import { ListenerColumn } from '../observe/columns.ts';
import { HistogramWriter } from '../observe/histograms.ts';
import type { Driver, Link, ListenTarget } from '../platform/driver.ts';
import { AccessLines } from './access-line.ts';
import { ClientLink } from './client-link.ts';
import { compileTable } from './compile-table.ts';
import type { HooksOf } from './compiled-hooks.ts';
import { type ListenerLink, ListenerState } from './listener-state.ts';
import { LogLayout } from './log-layout.ts';
import { makePlane } from './make-plane.ts';
import type { Plane } from './plane.ts';
import type { ListenerTable, Table } from './table.ts';
import { TailLines } from './tail-lines.ts';
import { TcpLink } from './tcp.ts';
import { Tracing } from './tracing.ts';
import { TurnBell } from './turn-bell.ts';

/** What a data plane is made of. */
export interface DataPlaneOptions {
  readonly start: WorkerStart;
  readonly driver: Driver;
  readonly post: (message: FromWorker) => void;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** ms since 1970. */
  readonly wallClock: () => number;
  /** Opens databases of addresses; absent where there are none. */
  readonly openGeography?: (bytes: GeoBytes) => GeographyOf;
  /** Modules of policies of one's own, loaded before a snapshot names them. */
  readonly customPolicies?: CustomPolicies;
  /** Hooks of modules that were imported before their snapshot is given; absent where there are none. */
  readonly hooksOf?: HooksOf;
}

/** One worker's data plane as its thread's entry sees it. */
export interface DataPlane {
  /** Takes a new snapshot and the sockets of its listeners; links that it does not touch go on. */
  apply(
    snapshot: Snapshot,
    sockets: Readonly<Record<string, ListenSocket>>,
    geo?: GeoBytes | null,
  ): void;
  /** The same in short steps between other work; the last one puts it in force, without it nothing is changed. */
  applyInSteps(
    unpacking: Generator<void, Snapshot>,
    sockets: Readonly<Record<string, ListenSocket>>,
    geo: GeoBytes | null,
  ): Generator<void, void>;
  /** Stops accepting, lets exchanges finish, cuts what is left after `deadlineMs` from now. */
  drain(deadlineMs: number, isReplaced?: boolean): void;
  /** True when a drain has left no link, and none can come. */
  readonly isDrained: boolean;
  /** Ends what runs on a server that is to be free, one after the other over `overMs`. */
  closeServer(slot: number, overMs: number): void;
  /** Sends ended exchanges that one of the filters wants from now on; no filter ends it. */
  tail(filters: readonly TailFilter[]): void;
  /** An error of the user's own code that no exchange waits for: logged, and that is all. */
  strayFault(error: unknown): void;
  /** A planted invariant failure, for tests of what follows one. */
  fail(): void;
}

/** Gauges go to control so often. */
const GAUGES_EVERY_MS = 1_000;

/** Makes a worker's data plane on a driver and starts its listeners. */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  return new Worker(options);
}

class Worker implements DataPlane {
  readonly #driver: Driver;
  readonly #openGeography: DataPlaneOptions['openGeography'];
  readonly #plane: Plane;
  readonly #histograms: HistogramWriter;
  readonly #lines: AccessLines;
  readonly #turnBell: TurnBell;
  readonly #listeners = new Map<string, ListenerState>();
  /** Removed listeners whose links have not all ended, with the time at which they are cut. */
  readonly #leaving: { readonly state: ListenerState; readonly cutAtMs: number }[] = [];
  /** Links that end soon because their server is to be free; the last one first. */
  readonly #closing: {
    readonly link: ListenerLink;
    readonly slot: number;
    readonly atMs: number;
  }[] = [];
  readonly #encoder = new TextEncoder();
  #table: Table | null = null;
  #tail: TailLines | null = null;
  /** Made when tracing is configured first. */
  #tracing: Tracing | null = null;
  #drainUntilMs = Number.POSITIVE_INFINITY;
  #isAcceptPaused = false;
  #isFailing = false;
  #second = 0;
  #gaugesAtMs = 0;
  #tickedAtMs: number;

  constructor(options: DataPlaneOptions) {
    const { start, driver } = options;
    this.#driver = driver;
    this.#openGeography = options.openGeography;
    this.#histograms = new HistogramWriter(start.shared, start.worker);
    this.#plane = makePlane(options, this.#histograms);
    this.#lines = new AccessLines(this.#plane, (lines, count) =>
      options.post({ type: 'log', lines, count, dropped: 0 }),
    );
    this.#plane.log = (exchange) => this.#lines.add(exchange);
    this.#turnBell = new TurnBell(this.#plane);
    this.#plane.listenForTurns = () => this.#turnBell.listen();
    this.#renewDate();
    this.#tickedAtMs = driver.now();
    driver.onTick = (nowMs) => this.#tick(nowMs);
    this.apply(start.snapshot, start.sockets, start.geo);
  }

  get isDrained(): boolean {
    return this.#plane.isDraining && this.#driver.openListeners === 0 && this.#linkCount() === 0;
  }

  apply(
    snapshot: Snapshot,
    sockets: Readonly<Record<string, ListenSocket>>,
    geo: GeoBytes | null = null,
  ): void {
    this.#putInForce(finished(this.#compile(snapshot, geo)), sockets);
  }

  *applyInSteps(
    unpacking: Generator<void, Snapshot>,
    sockets: Readonly<Record<string, ListenSocket>>,
    geo: GeoBytes | null,
  ): Generator<void, void> {
    const snapshot = yield* unpacking;
    const table = yield* this.#compile(snapshot, geo);
    this.#putInForce(table, sockets);
  }

  #compile(snapshot: Snapshot, geo: GeoBytes | null): Generator<void, Table> {
    const geography = geo === null ? null : (this.#openGeography?.(geo) ?? null);
    return compileTable(this.#plane, this.#histograms, snapshot, geography, this.#table);
  }

  #putInForce(table: Table, sockets: Readonly<Record<string, ListenSocket>>): void {
    const plane = this.#plane;
    const { snapshot } = table;
    this.#table = table;
    this.#log();
    plane.tunnelIdleMs = snapshot.timeouts.tunnelMs;
    for (const [name, state] of this.#listeners) {
      const now = table.listeners.get(name);
      const isSame =
        now !== undefined &&
        now.listener.address === state.current.listener.address &&
        now.listener.protocol === state.current.listener.protocol;
      if (isSame) state.current = now;
      else this.#remove(name, state, snapshot.timeouts.drainMs);
    }
    if (!plane.isDraining) {
      for (const [name, added] of table.listeners) {
        const socket = sockets[name];
        if (!this.#listeners.has(name) && socket !== undefined) this.#add(name, added, socket);
      }
    }
    this.#retireUnused(snapshot);
    plane.post({ type: 'applied', version: snapshot.version });
  }

  tail(filters: readonly TailFilter[]): void {
    this.#tail = filters.length === 0 ? null : new TailLines(this.#plane, filters);
    this.#log();
  }

  /** Ended exchanges are told to the log, to those who look now, to traces, to some of them or to nobody. */
  #log(): void {
    const plane = this.#plane;
    const lines = this.#lines;
    const tail = this.#tail;
    const { snapshot } = this.#table as Table;
    const { accessLog: isLogged, logForm = null, tracing: rule = null } = snapshot;
    plane.logLayout = isLogged && logForm !== null ? new LogLayout(logForm) : null;
    const tracing = this.#traceBy(rule);
    plane.hasAccessLog = isLogged || tail !== null || tracing !== null;
    const line: Plane['log'] =
      plane.logLayout === null
        ? (exchange) => lines.add(exchange)
        : (exchange) => lines.addAsWanted(exchange);
    if (tail === null && tracing === null) {
      plane.log = line;
      return;
    }
    plane.log = (exchange) => {
      if (isLogged) line(exchange);
      if (tail !== null) tail.add(exchange);
      if (tracing !== null) tracing.end(exchange);
    };
  }

  /** What begins and ends traces. Without a rule none begins any more, while those that run still end. */
  #traceBy(rule: TraceRule | null): Tracing | null {
    const plane = this.#plane;
    if (rule !== null) {
      this.#tracing ??= new Tracing(plane, rule);
      this.#tracing.rule = rule;
    }
    plane.tracing = rule === null ? null : this.#tracing;
    return this.#tracing;
  }

  drain(deadlineMs: number, isReplaced = false): void {
    this.#plane.isDraining = true;
    if (isReplaced) this.#plane.replacedForMs = deadlineMs;
    this.#drainUntilMs = this.#driver.preciseNow() + deadlineMs;
    for (const [name, state] of this.#listeners) this.#remove(name, state, deadlineMs);
    for (const server of this.#plane.servers.values()) server.retireIdle();
    this.#lines.flush();
    this.#tracing?.flush();
  }

  closeServer(slot: number, overMs: number): void {
    const links: ListenerLink[] = [];
    for (const state of this.#listeners.values()) state.gatherOn(slot, links);
    for (const { state } of this.#leaving) state.gatherOn(slot, links);
    const nowMs = this.#driver.preciseNow();
    for (const [at, link] of links.entries()) {
      this.#closing.push({ link, slot, atMs: nowMs + (overMs * at) / links.length });
    }
    // Next to close last, so that taking it is cheap.
    this.#closing.sort((a, b) => b.atMs - a.atMs);
  }

  strayFault(error: unknown): void {
    this.#plane.hooks.stray(error);
  }

  fail(): void {
    this.#isFailing = true;
  }

  #add(name: string, table: ListenerTable, socket: ListenSocket): void {
    const state = new ListenerState(this.#plane, table);
    const target: ListenTarget =
      socket.kind === 'descriptor'
        ? socket
        : { kind: 'address', address: { kind: 'ip', host: socket.host, port: socket.port } };
    state.listening = this.#driver.listen(target, (link) => this.#accept(state, link));
    if (this.#isAcceptPaused) state.listening.pause();
    this.#listeners.set(name, state);
  }

  #remove(name: string, state: ListenerState, drainMs: number): void {
    this.#listeners.delete(name);
    state.leave();
    // Without a link too: until its accept has ended in the kernel, one may still come.
    this.#leaving.push({ state, cutAtMs: this.#driver.preciseNow() + drainMs });
  }

  #accept(state: ListenerState, link: Link): void {
    const plane = this.#plane;
    const most = state.current.table.snapshot.limits.connectionsMax;
    const open = Atomics.load(plane.words.links, 0);
    if (open >= most) {
      plane.cells[state.current.counters + ListenerColumn.REFUSED_BY_LIMIT]! += 1;
      link.handler = REFUSED_LINK(plane);
      link.abort();
      this.#pauseAccepting();
      return;
    }
    if (state.current.listener.protocol === 'tcp') {
      const tcp = new TcpLink(plane, state, link);
      link.handler = tcp;
      state.addLink(tcp);
      tcp.start();
    } else {
      const client = new ClientLink(plane, state, link);
      link.handler = client;
      state.addLink(client);
      if (state.isLeaving) client.leave();
    }
    // At the limit we stop accepting rather than fail: the kernel's queue waits.
    if (open + 1 >= most) this.#pauseAccepting();
  }

  #pauseAccepting(): void {
    if (this.#isAcceptPaused) return;
    this.#isAcceptPaused = true;
    for (const state of this.#listeners.values()) state.listening?.pause();
  }

  #tick(nowMs: number): void {
    // From the driver's turn, as a broken invariant of ours would come.
    invariant(!this.#isFailing, 'no failure was planted by a test');
    const plane = this.#plane;
    this.#noteLag(nowMs);
    plane.wheel.advance(nowMs);
    plane.fineTimers.advance(nowMs);
    // A server may have come back, or its limit been raised: nobody rings for that.
    if (plane.gates.size > 0) this.#turnBell.serve();
    this.#renewDate();
    this.#lines.flush();
    if (this.#tail !== null) this.#tail.flush();
    this.#tracing?.flush();
    if (this.#tracing?.isOver === true) {
      this.#tracing = null;
      this.#log();
    }
    if (this.#isAcceptPaused) this.#mayAcceptAgain();
    if (this.#leaving.length > 0) this.#cutLate(nowMs);
    if (this.#closing.length > 0) this.#closeDue(nowMs);
    if (nowMs - this.#gaugesAtMs >= GAUGES_EVERY_MS) {
      this.#gaugesAtMs = nowMs;
      plane.post({ type: 'gauges', gauges: this.#driver.gauges() });
      const requests = plane.slow.take();
      if (requests.length > 0) plane.post({ type: 'slow', requests });
    }
  }

  /** How much later than due the tick came: what a timer, and so any exchange, had to wait for the loop. */
  #noteLag(nowMs: number): void {
    const lateMs = nowMs - this.#tickedAtMs - limits.timerTickMs;
    this.#tickedAtMs = nowMs;
    const { cells, lag } = this.#histograms;
    cells[lag + bucketOf(lateMs * 1000)]! += 1;
  }

  #mayAcceptAgain(): void {
    const most = (this.#table as Table).snapshot.limits.connectionsMax;
    if (Atomics.load(this.#plane.words.links, 0) >= most) return;
    this.#isAcceptPaused = false;
    for (const state of this.#listeners.values()) state.listening?.resume();
  }

  #cutLate(nowMs: number): void {
    const mayAccept = this.#driver.openListeners > this.#listeners.size;
    for (let i = this.#leaving.length - 1; i >= 0; i--) {
      const { state, cutAtMs } = this.#leaving[i]!;
      if (nowMs >= Math.min(cutAtMs, this.#drainUntilMs)) state.cut();
      if (state.linkCount === 0 && !mayAccept) this.#leaving.splice(i, 1);
    }
  }

  #closeDue(nowMs: number): void {
    for (let due = this.#closing.at(-1); due !== undefined && due.atMs <= nowMs; ) {
      this.#closing.pop();
      // It may have finished meanwhile, and be on another server now.
      if (due.link.serverSlot === due.slot) due.link.endFor('server-drained');
      due = this.#closing.at(-1);
    }
  }

  #linkCount(): number {
    let count = 0;
    for (const state of this.#listeners.values()) count += state.linkCount;
    for (const { state } of this.#leaving) count += state.linkCount;
    return count;
  }

  /** Idle links of servers that left, moved or drain are closed; others stay. */
  #retireUnused(snapshot: Snapshot): void {
    const { servers, words } = this.#plane;
    for (const [slot, state] of servers) {
      const isGone = state.version !== snapshot.version;
      if (!isGone && (Atomics.load(words.verdict, slot) & Verdict.DRAINING) === 0) continue;
      state.isRetired = true;
      state.retireIdle();
      if (isGone) servers.delete(slot);
    }
  }

  #renewDate(): void {
    const now = this.#plane.wallClock();
    const second = Math.floor(now / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#plane.date = new Date(now).toUTCString();
    this.#plane.dateLine = this.#encoder.encode(`Date: ${this.#plane.date}\r\n`);
  }
}

function REFUSED_LINK(plane: Plane): Link['handler'] {
  return {
    onConnected: () => {},
    onReceive: (_link, id) => plane.buffers.release(id),
    onEnd: () => {},
    onDrain: () => {},
    onClosed: () => {},
  };
}
