import type { Config } from '../control/config/config.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import type { Clock } from '../platform/clock.ts';
import type { ConfigSources } from './config-sources.ts';
import type { Heritage } from './hand-over.ts';
import type { KeptState } from './kept-state.ts';
import type { ListenerSockets } from './listener-sockets.ts';
import type { ProcessLog } from './process-log.ts';
import type { RunOptions } from './run-options.ts';
import type { StoreClient } from './store-client.ts';

/** What a balancer is made of; everything that can be refused at the start has been decided. */
export interface BalancerParts {
  readonly options: RunOptions;
  readonly config: Config;
  readonly sources: ConfigSources;
  /** What a balancer before us left; null at the first start. */
  readonly kept: KeptState | null;
  /** What the balancer left that this one is to replace; null where it replaces none. */
  readonly heritage: Heritage | null;
  /** Counts the balancers of a supervisor. */
  readonly generation: number;
  readonly driver: { readonly name: 'uring' | 'portable'; readonly reason: string };
  readonly workers: number;
  readonly sockets: ListenerSockets;
  readonly store: StoreClient | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: ProcessLog;
  readonly areFaultsArmed: boolean;
  /** Closes what a dead worker left in the kernel; returns how many links. */
  readonly reclaim: (words: SharedWords, worker: number) => number;
  readonly exit: (code: number) => void;
}
