import type { ExplainOutcome, ExplainRequest } from '../explain/explanation.ts';
import type { HistoryOutcome, OpenQuestion } from '../history/questions.ts';
import type { Watch } from '../live/watch.ts';
import type { ExpositionFormat } from '../report/exposition.ts';
import type { PoolHealthReport } from '../report/health-report.ts';
import type { StatusReport } from '../report/status.ts';
import type { ConfigImpact } from './impact.ts';

/** Why an operation was refused: what cannot be done, what is required, what was found. */
export interface OperationProblem {
  /** Which of several changes was refused, from 0. */
  readonly index?: number;
  /** A readable word: `unknown-pool`, `unknown-server`, `invalid-weight`, `server-exists` … */
  readonly code:
    | 'unknown-pool'
    | 'unknown-server'
    | 'server-exists'
    | 'invalid-server'
    | 'invalid-weight'
    | 'invalid-time'
    | 'capacity-reached'
    | 'not-running'
    | 'unknown-worker';
  /** `Cannot ⟨do what⟩ as ⟨what is required⟩: current value is ⟨value⟩`. */
  readonly message: string;
  /** The part of the request or configuration that is meant: `pools.web.servers`. */
  readonly path: string | null;
  readonly requirement: string;
  readonly found: string;
}

/**
 * What came of a change at run time. `version` is the snapshot that carries it; a change that
 * changes nothing (draining a draining server) is ok and keeps the version.
 */
export type OperationOutcome =
  | { readonly ok: true; readonly version: number }
  | { readonly ok: false; readonly problem: OperationProblem };

/**
 * What came of a reload. A failed one keeps the running configuration; `problems` are ready to
 * print.
 */
export type ReloadOutcome =
  | { readonly ok: true; readonly version: number; readonly changes: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * What came of an upgrade. `isTried`: a successor was started and did not get ready, so that the
 * running balancer stays; else none was started. `problem` says why, in words.
 */
export type UpgradeOutcome =
  | { readonly ok: true; readonly pid: number }
  | { readonly ok: false; readonly isTried: boolean; readonly problem: string };

/** A configuration as text, with the name of its file, whose ending tells the format. */
export interface ConfigText {
  readonly name: string;
  readonly text: string;
}

/** What a configuration would change, or lines that say what is wrong with it. */
export type PreviewOutcome =
  | { readonly ok: true; readonly impact: ConfigImpact }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A server as the API adds it. Durations and sizes as in the configuration's long form. */
export interface ServerSpec {
  /** `10.0.0.1:3000`, `app.internal:80`, `unix:/run/app.sock`. */
  readonly address: string;
  /** 0–1000; default 1. */
  readonly weight?: number;
  readonly backup?: boolean;
  /** 0 = no limit. */
  readonly maxConnections?: number;
  /** 0 = no limit. */
  readonly maxPending?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** One change of one server at run time. */
export type ServerOperation =
  /** Adds a server that the file does not have. It lives until it is removed or the process ends. */
  | { readonly op: 'add'; readonly pool: string; readonly server: ServerSpec }
  /**
   * Removes a server; what runs on it has `timeouts.drain` to finish. Holds until a reload changes the file's
   * servers of the pool, or discovery finds the server gone.
   */
  | { readonly op: 'remove'; readonly pool: string; readonly address: string }
  /** No new traffic to the server; what runs is finished, or closed when `forMs` have passed. */
  | {
      readonly op: 'drain';
      readonly pool: string;
      readonly address: string;
      readonly forMs: number | null;
    }
  /** Takes a drain back. */
  | { readonly op: 'ready'; readonly pool: string; readonly address: string }
  /** 0–1000; 0 takes no new traffic. Holds until a reload changes the server's written weight. */
  | {
      readonly op: 'set';
      readonly pool: string;
      readonly address: string;
      readonly weight: number;
    };

/**
 * What the admin API and the command line may ask of the running balancer. All calls are made on
 * the control thread. Errors: refusals are returned, never thrown.
 */
export interface BalancerControl {
  /** The whole state, made at the call. Cost: one pass over all servers and their histograms. */
  status(): StatusReport;
  /** Events, and streams of what happens. */
  readonly watch: Watch;
  /** Why each server of a pool is in traffic or out of it; null for a pool that is not there. */
  health(pool: string): PoolHealthReport | null;
  /** Reads the configuration again. Calls that overlap share one reload. */
  reload(): Promise<ReloadOutcome>;
  /**
   * Says what a configuration would change and what of the running traffic that touches; null = the one that a
   * reload would read. Changes nothing.
   */
  preview(candidate: ConfigText | null): Promise<PreviewOutcome>;
  /** Has this process replaced by one of the program on disk; resolves when that takes traffic or is given up. */
  upgrade(): Promise<UpgradeOutcome>;
  /** A successor is being started: other changes are refused, since it would not have them. */
  readonly isUpgrading: boolean;
  /** Opens the log files anew, after a rotation. */
  reopenLogs(): Promise<void>;
  /** Starts a graceful drain and ends the process with code 0; called again it stops at once. */
  stop(): void;
  /** Makes all of these changes with one publication, in their order, or none of them. */
  change(changes: readonly ServerOperation[]): OperationOutcome;
  /**
   * The configuration in force, run-time changes included, without secrets: plain data for JSON.
   */
  effectiveConfig(): unknown;
  /** Where a request would go and why; changes nothing. */
  explain(asked: ExplainRequest): Promise<ExplainOutcome>;
  /** What the past was like; changes nothing. */
  history(question: OpenQuestion): Promise<HistoryOutcome>;
  /** All metrics. Calls that overlap share one answer. */
  metricsText(format: ExpositionFormat): Promise<string>;
  /**
   * True while traffic is taken: every worker is ready, every listener open, no drain has begun.
   */
  isReady(): boolean;
  /** Test-only trigger; refused unless `EVENKEEL_TEST_FAULTS=1`. */
  injectFault(worker: number, kind: 'invariant' | 'stuck'): OperationOutcome;
}
