import type { ConfigFlags } from '../control/config/flags.ts';

/**
 * What `evenkeel run` hands to the supervisor and the supervisor, unread, to the balancer. Plain
 * data for JSON.
 */
export interface RunOptions {
  readonly source: RunSource;
  readonly driver: 'auto' | 'uring' | 'portable';
  /** Overrides `workers` of the configuration; null = as configured. */
  readonly workers: number | null;
  /** Path of the admin socket; null = the instance's own. */
  readonly socket: string | null;
}

/** Where the configuration comes from: a file, or the flags of the command line. */
export type RunSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'flags'; readonly flags: ConfigFlags };

/**
 * Exit codes of the balancer and of `evenkeel run`: 0 after a drain, 1 bad configuration, 2 cannot
 * listen (config.md); 70 (EX_SOFTWARE of sysexits.h) tells the supervisor to start a fresh
 * balancer.
 */
export const ExitCode = { DRAINED: 0, BAD_CONFIGURATION: 1, CANNOT_LISTEN: 2, BROKEN: 70 } as const;
