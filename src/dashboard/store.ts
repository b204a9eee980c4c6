import {
  ListenerFigure,
  type LiveEvent,
  type LiveShape,
  type LiveTick,
  PoolFigure,
  ServerFigure,
} from '../model/live.ts';
import { followStream } from './stream.ts';

/** Ticks kept: ten minutes. */
export const pointsMax = 600;
/** Of each server, for its sparkline. */
const trailMax = 60;
const eventsMax = 500;

/** The figures of all traffic at one tick; null: nothing ended. Rates are per second. */
export interface Point {
  readonly atMs: number;
  readonly spanMs: number;
  readonly requests: number;
  /** History does not tell it. */
  readonly clientErrors: number | null;
  readonly failed: number;
  readonly p50Us: number | null;
  readonly p90Us: number | null;
  readonly p99Us: number | null;
  readonly inFlight: number;
  readonly queued: number;
  readonly links: number;
  /** The busiest worker's share of time at work. */
  readonly busy: number;
  readonly bytesOut: number;
  /** Of each pool by name: bucket, count, bucket, count … */
  readonly heat: Readonly<Record<string, readonly number[]>>;
}

/** `refused`: the balancer wants the token for reading, as we come from another machine. */
export type Connection = 'connecting' | 'live' | 'lost' | 'refused';

/** Everything that the page shows, brought up to date by one stream. */
export class Store {
  connection: Connection = 'connecting';
  shape: LiveShape | null = null;
  tick: LiveTick | null = null;
  events: readonly LiveEvent[] = [];
  readonly points: Point[] = [];
  /** Requests per second of each server, by `pool/address`, oldest first. */
  readonly trails = new Map<string, number[]>();
  readonly #onChange: () => void;
  #stop: (() => void) | null = null;

  /** `onChange` is called at most once per animation frame. */
  constructor(onChange: () => void) {
    let isDue = false;
    this.#onChange = () => {
      if (isDue) return;
      isDue = true;
      requestAnimationFrame(() => {
        isDue = false;
        onChange();
      });
    };
  }

  /** Begins anew, for example with a token. */
  connect(): void {
    this.#stop?.();
    this.connection = 'connecting';
    this.#stop = followStream('/v1/live', {
      onOpen: () => this.#setConnection('live'),
      onLost: (isRefused) => this.#setConnection(isRefused ? 'refused' : 'lost'),
      onEvent: (event, json) => this.#on(event, JSON.parse(json)),
    });
  }

  #setConnection(connection: Connection): void {
    this.connection = connection;
    this.#onChange();
  }

  #on(event: string, data: unknown): void {
    if (event === 'shape') this.shape = data as LiveShape;
    else if (event === 'events') this.events = data as readonly LiveEvent[];
    else if (event === 'event') {
      this.events = [...this.events, data as LiveEvent].slice(-eventsMax);
    } else if (event === 'tick') this.#onTick(data as LiveTick);
    this.#onChange();
  }

  #onTick(tick: LiveTick): void {
    this.tick = tick;
    const { shape } = this;
    if (shape === null) return;
    // The first tick of a connection has no span: its differences say nothing.
    if (tick.spanMs === 0) return;
    this.points.push(pointOf(shape, tick));
    if (this.points.length > pointsMax) this.points.shift();
    const names = new Set<string>();
    shape.pools.forEach((pool, at) => {
      pool.servers.forEach(({ address }, index) => {
        const name = `${pool.name}/${address}`;
        names.add(name);
        const requests = tick.pools[at]?.servers[index]?.[ServerFigure.REQUESTS_NOW] ?? 0;
        const trail = this.trails.get(name) ?? [];
        trail.push((requests * 1_000) / tick.spanMs);
        if (trail.length > trailMax) trail.shift();
        this.trails.set(name, trail);
      });
    });
    for (const name of this.trails.keys()) if (!names.has(name)) this.trails.delete(name);
  }
}

function pointOf(shape: LiveShape, tick: LiveTick): Point {
  const perSecond = 1_000 / tick.spanMs;
  const sum = (figure: number): number =>
    tick.listeners.reduce((total, listener) => total + (listener[figure] ?? 0), 0);
  const [p50Us = -1, p90Us = -1, p99Us = -1] = tick.latencyUs;
  const known = (us: number): number | null => (us < 0 ? null : us);
  return {
    atMs: tick.atMs,
    spanMs: tick.spanMs,
    requests: sum(ListenerFigure.REQUESTS_NOW) * perSecond,
    clientErrors: sum(ListenerFigure.S4XX_NOW) * perSecond,
    failed: (sum(ListenerFigure.S5XX_NOW) + sum(ListenerFigure.ABORTED_NOW)) * perSecond,
    p50Us: known(p50Us),
    p90Us: known(p90Us),
    p99Us: known(p99Us),
    inFlight: tick.pools.reduce(
      (total, { servers }) =>
        total + servers.reduce((of, figures) => of + (figures[ServerFigure.IN_FLIGHT] ?? 0), 0),
      0,
    ),
    queued: tick.pools.reduce((total, { totals }) => total + (totals[PoolFigure.QUEUED] ?? 0), 0),
    links: sum(ListenerFigure.LINKS),
    busy: Math.max(0, ...tick.workers.map(({ busy }) => busy ?? 0)),
    bytesOut: sum(ListenerFigure.BYTES_OUT_NOW) * perSecond,
    heat: Object.fromEntries(shape.pools.map(({ name }, at) => [name, tick.pools[at]?.heat ?? []])),
  };
}
