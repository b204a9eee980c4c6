import type { LiveShape, LiveTick, LiveWorkerTick } from '../../model/live.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import type { ProcessStatus, TrafficMeans } from '../report/build-status.ts';
import type { TrafficSample } from '../report/sample.ts';
import type { EventBook } from './event-book.ts';
import { LiveSampler } from './sampler.ts';
import { liveShape } from './shape.ts';
import type { Send } from './watch.ts';

/** Where frames come from. */
export interface LiveMeans {
  readonly clock: Clock;
  readonly events: EventBook;
  readonly process: () => ProcessStatus;
  readonly traffic: () => TrafficMeans;
  readonly sample: () => TrafficSample;
  readonly workers: () => readonly LiveWorkerTick[];
  readonly hasHistory: () => boolean;
}

/** Several events of one moment bring one shape. */
const gatherMs = 50;
/** Events that a newcomer is told. */
const eventsToldMax = 100;

/**
 * Tells all who look what the balancer does: a `shape` when anything lasting changed, a `tick` every second,
 * an `event` as it happens. Nothing is read and no timer runs while nobody looks.
 */
export class LiveFeed {
  readonly #means: LiveMeans;
  readonly #viewers = new Set<Send>();
  #sampler = new LiveSampler();
  #shape = '';
  #tick = '';
  #everyMs = 0;
  #timer: RunningTimer | null = null;
  #gather: RunningTimer | null = null;
  #unfollow: (() => void) | null = null;

  constructor(means: LiveMeans) {
    this.#means = means;
  }

  /** Sends what is now, then what changes; gives what ends that. */
  follow(send: Send): () => void {
    if (this.#viewers.size === 0) this.#begin();
    send('shape', this.#shape);
    send('events', JSON.stringify(this.#means.events.after(0).slice(-eventsToldMax)));
    send('tick', this.#tick);
    this.#viewers.add(send);
    return () => {
      this.#viewers.delete(send);
      if (this.#viewers.size === 0) this.#end();
    };
  }

  #begin(): void {
    const { clock, events } = this.#means;
    this.#sampler = new LiveSampler();
    this.#look();
    this.#unfollow = events.follow((event) => {
      this.#tell('event', JSON.stringify(event));
      // A verdict is seen at once, not at the next second.
      this.#gather ??= clock.after(gatherMs, () => {
        this.#gather = null;
        this.#lookAtShape();
      });
    });
  }

  #end(): void {
    this.#timer?.stop();
    this.#gather?.stop();
    this.#unfollow?.();
    this.#timer = this.#gather = this.#unfollow = null;
    this.#everyMs = 0;
    this.#shape = this.#tick = '';
  }

  #look(): void {
    const { traffic, sample, workers } = this.#means;
    this.#lookAtShape();
    const { snapshot, rateOf } = traffic();
    const rateAt = (pool: number, server: number): number => {
      const slot = snapshot.pools[pool]?.servers[server]?.slot;
      return slot === undefined ? 0 : rateOf(slot);
    };
    const tick: LiveTick = this.#sampler.tick(sample(), rateAt, workers());
    this.#tick = JSON.stringify(tick);
    this.#tell('tick', this.#tick);
  }

  #lookAtShape(): void {
    const { process, traffic, hasHistory } = this.#means;
    const shape: LiveShape = liveShape(process(), traffic(), hasHistory());
    const text = JSON.stringify(shape);
    if (text !== this.#shape) {
      this.#shape = text;
      this.#tell('shape', text);
    }
    if (shape.everyMs === this.#everyMs) return;
    this.#everyMs = shape.everyMs;
    this.#timer?.stop();
    this.#timer = this.#means.clock.every(shape.everyMs, () => this.#look());
  }

  #tell(event: string, json: string): void {
    for (const send of this.#viewers) send(event, json);
  }
}
