/**
 * The words between a supervisor and its balancers. Requests go from a balancer and are answered;
 * notices go to a balancer, unasked. An unknown verb is refused and an unknown notice passed over, so
 * that either end may be one version ahead of the other.
 */

/**
 * Version of the words. Another one is answered with `ok: false`, so that both ends can tell.
 */
export const PROTOCOL_VERSION = 1;

/** What is stored under a name: descriptors and what the balancer wrote beside them. */
export interface StoredEntry {
  readonly name: string;
  readonly meta: unknown;
}

/**
 * What a balancer says of itself. `running`: it takes traffic. `ending`: its next end is meant,
 * whatever the exit code. `failed`: it will not run, `why`. `upgrade`: start a successor. `left`: the
 * successor has the admin sockets and the counters.
 */
export const announcements = ['running', 'ending', 'failed', 'upgrade', 'left'] as const;

/** One of them. */
export type Announcement = (typeof announcements)[number];

/** Balancer → supervisor. */
export interface StoreRequest {
  readonly version: number;
  readonly id: number;
  readonly verb: 'list' | 'fetch' | 'deposit' | 'drop' | Announcement;
  readonly name?: string;
  readonly meta?: unknown;
  /** With `failed`. */
  readonly why?: string;
}

/** Its answer. */
export interface StoreAnswer {
  readonly version: number;
  readonly id: number;
  readonly ok: boolean;
  readonly entries?: readonly StoredEntry[];
  readonly meta?: unknown;
  readonly why?: string;
}

/** A balancer that has handed over and finishes what it had accepted. */
export interface LeavingBalancer {
  readonly generation: number;
  readonly pid: number;
}

/** Supervisor → balancer, unasked; one of the fields is set. */
export interface Notice {
  /**
   * A signal that the supervisor got. Sent as a message, so that it is told apart from one sent
   * directly.
   */
  readonly signal?: NodeJS.Signals;
  /** What came of the upgrade that it asked for: `why` is null when its successor takes traffic. */
  readonly upgraded?: { readonly pid: number; readonly why: string | null };
  /** It is the one that counts from now on: opens the admin API, takes the counters. */
  readonly takeOver?: { readonly leaving: readonly LeavingBalancer[] };
  /** The generation of a leaving balancer that has ended. */
  readonly ended?: number;
}
