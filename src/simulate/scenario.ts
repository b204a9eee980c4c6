import type { Config, ConfigPool } from '../control/config/config.ts';
import type { ServiceTime } from './service-time.ts';

/** What a simulation is made of: read from a scenario file, durations in µs. Plain data. */
export interface Scenario {
  readonly name: string;
  readonly says: string;
  readonly durationUs: number;
  /** What begins before this is not counted. */
  readonly warmUpUs: number;
  readonly workers: number;
  /** Policies that are compared when the user names none; empty: the pool's own. */
  readonly policies: readonly string[];
  /** The configuration of the balancer, its only pool among it; servers as the scenario has them. */
  readonly config: Config;
  readonly pool: ConfigPool;
  /** One per server of the pool, in its order. */
  readonly servers: readonly ServerPlan[];
  /** One way between clients or servers and the balancer. */
  readonly delayUs: number;
  readonly clients: ClientPlan;
  readonly events: readonly PlannedEvent[];
}

/** How a simulated server behaves. */
export interface ServerPlan {
  readonly zone: string;
  /** Requests that it works on at a time; more wait in its queue. */
  readonly concurrency: number;
  /** Requests that wait at most; more are answered 503 at once. */
  readonly queueMax: number;
  readonly service: ServiceTime;
  /** Share of requests that it answers with `errorStatus`. */
  readonly errorRatio: number;
  readonly errorStatus: number;
  readonly late: Late;
  /** After it came up it takes `factor` times as long, falling to 1 within `forUs`. */
  readonly cold: { readonly factor: number; readonly forUs: number };
  /** When it joins the pool, and when it leaves; infinity: never. */
  readonly joinsAtUs: number;
  readonly leavesAtUs: number;
}

/** Some answers come late. */
export interface Late {
  readonly ratio: number;
  readonly byUs: number;
}

/** Who sends requests. */
export interface ClientPlan {
  /** Requests per second, as a Poisson process; 0: each user waits for its answer, thinks, asks again. */
  readonly rate: number;
  readonly users: number;
  readonly think: ServiceTime;
  /** Exponent of Zipf's law by which users are drawn; 0: all alike. */
  readonly skew: number;
  /** A client gives up after this. */
  readonly timeoutUs: number;
  /** How often a client asks again after a failure of any kind. */
  readonly retries: number;
  readonly backoffUs: number;
  /** Share of requests that are POST. */
  readonly postRatio: number;
}

/** Something that changes during the run. */
export interface PlannedEvent {
  readonly atUs: number;
  /** Indexes of the servers that it concerns. */
  readonly servers: readonly number[];
  readonly change: Change;
  /** It is taken back after this; infinity: never. */
  readonly forUs: number;
  /** It comes again after this; infinity: never. */
  readonly everyUs: number;
}

/** What an event changes. `null` in a server's change stands for what its plan says. */
export type Change =
  | { readonly kind: 'down'; readonly how: 'refuse' | 'vanish' }
  | { readonly kind: 'up' }
  | { readonly kind: 'slow'; readonly factor: number }
  | { readonly kind: 'late'; readonly late: Late | null }
  | { readonly kind: 'errors'; readonly ratio: number | null; readonly status: number }
  | { readonly kind: 'rate'; readonly rate: number }
  | { readonly kind: 'clock'; readonly byMs: number }
  | { readonly kind: 'stall'; readonly forUs: number };
