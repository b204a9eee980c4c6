import type { TimerEntry } from '../base/timing-wheel.ts';
import type { FailureCode } from '../model/failure.ts';
import type { ServerSide } from './exchange.ts';
import type { Waiter } from './pool-gate.ts';
import { type CompiledRetry, noRetry } from './retry-rule.ts';
import type { ServerState } from './server-state.ts';

/** No such moment. */
export const NEVER: number = Number.POSITIVE_INFINITY;

/** A try that goes on while another one is the exchange's own. */
export interface Rival {
  readonly server: ServerSide;
  readonly slot: number;
  readonly state: ServerState;
  readonly attemptAtUs: number;
  /** Counted among the unanswered exchanges of its server. */
  readonly isPending: boolean;
}

/** What an exchange keeps for the case that it fails or waits; an exchange that does neither reads its rule only. */
export class FailoverState {
  rule: CompiledRetry = noRetry;
  /** A retry was taken out of the budget for the attempt to come. */
  isCharged = false;
  /** It is one of the trials of its pool's half-open breaker. */
  isTrial = false;
  /** What the attempt to come makes good. */
  code: FailureCode = 'no-server-available';
  /** How long the attempt to come is to wait. */
  pauseMs = 0;
  /** Something of what follows is running and must be ended with the exchange. */
  isArmed = false;
  /** Driver ms. */
  pauseUntilMs: number = NEVER;
  tryUntilMs: number = NEVER;
  deadlineAtMs: number = NEVER;
  hedgeAtMs: number = NEVER;
  /** The try beside which a later one was started; whichever answers first wins. */
  rival: Rival | null = null;
  hedges = 0;
  /** In the queue of its pool: what the queue knows it by. */
  waiter: Waiter | null = null;
  /** Priority class in a queue; 0 goes first. */
  priority = 0;
  queueUntilMs: number = NEVER;
  /** Time spent in queues so far, ms. */
  waitedMs = 0;
  /** Holds one of the places that its pool limits. */
  hasPoolPlace = false;
  /** Server whose answer it waits for, where these are limited; -1 when it is not counted. */
  pendingSlot = -1;
  /** Made when a time is watched first. */
  entry: TimerEntry | null = null;

  /** A new request. What may be running has ended with the last one. */
  begin(): void {
    this.priority = 0;
    this.isTrial = false;
    this.waitedMs = 0;
    this.hedges = 0;
    this.queueUntilMs = NEVER;
  }
}
