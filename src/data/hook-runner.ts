import { TimerEntry } from '../base/timing-wheel.ts';
import type { FailureCode } from '../model/failure.ts';
import type { HookAnswer, HookPick, HookRedirect, HookServer, Hooks } from '../model/hooks.ts';
import { RouteColumn } from '../observe/columns.ts';
import type { Answer } from './answers.ts';
import type { LoadedHooks } from './compiled-hooks.ts';
import type { Exchange } from './exchange.ts';
import { checkField } from './hook-edits.ts';
import type { Hooked, ResponseFacade } from './hooked.ts';
import type { Plane } from './plane.ts';
import type { CompiledPool } from './table.ts';

/** A hook has given a promise: the exchange waits, and `resume` is called later. */
export const SUSPENDED: unique symbol = Symbol('suspended');

/** What hooks decided: null lets the exchange go on. */
export type HookOutcome = Answer | FailureCode | null;

/** Least time between two lines about failing hooks of this worker. */
const NOTE_EVERY_MS = 1_000;
const STACK_LETTERS_MAX = 2_000;

type Stage = 'onRequest' | 'onPick' | 'onResponse';

/** One run through the modules of an exchange. */
interface Run {
  readonly exchange: Exchange;
  readonly hooked: Hooked;
  readonly stage: Stage;
  readonly call: (hooks: Hooks) => unknown;
  readonly judge: (value: unknown) => Answer | null;
  readonly resume: (outcome: HookOutcome) => void;
}

/**
 * Calls the user's hooks. Whatever they do stays theirs: what they throw is counted, logged and answered
 * as `onFailure` says; what they give is checked; what takes too long is waited for no more.
 */
export class HookRunner {
  readonly #plane: Plane;
  #notedAtMs = Number.NEGATIVE_INFINITY;
  #unnoted = 0;

  constructor(plane: Plane) {
    this.#plane = plane;
  }

  /** `onRequest` of all modules in turn, until one answers. */
  request(
    exchange: Exchange,
    hooked: Hooked,
    resume: (outcome: HookOutcome) => void,
  ): HookOutcome | typeof SUSPENDED {
    const call = (hooks: Hooks): unknown => hooks.onRequest?.(hooked.request);
    return this.#go({ exchange, hooked, stage: 'onRequest', call, judge: answerOf, resume }, 0);
  }

  /** `onResponse` of all modules in turn. */
  response(
    exchange: Exchange,
    hooked: Hooked,
    facade: ResponseFacade,
    resume: (outcome: HookOutcome) => void,
  ): HookOutcome | typeof SUSPENDED {
    const call = (hooks: Hooks): unknown => hooks.onResponse?.(facade);
    return this.#go({ exchange, hooked, stage: 'onResponse', call, judge: nothing, resume }, 0);
  }

  /** `onPick` of all modules in turn: servers that they take out count as tried. */
  pick(exchange: Exchange, hooked: Hooked, pool: CompiledPool): FailureCode | null {
    for (const loaded of hooked.hooks.modules) {
      if (loaded.hooks.onPick === undefined) continue;
      try {
        const given: unknown = loaded.hooks.onPick(this.#pickOf(exchange, hooked, pool));
        if (isThenable(given)) {
          // Its rejection is nobody's any more.
          given.then(undefined, () => {});
          throw new TypeError('onPick must be synchronous, and gave a promise');
        }
      } catch (error) {
        const end = this.#fault(exchange, loaded, 'onPick', error);
        if (end !== null) return end;
      }
    }
    return null;
  }

  /** An error of the user's code that no exchange waits for. */
  stray(error: unknown): void {
    this.#note(`a hook: ${stackOf(error)}`);
  }

  #go(run: Run, from: number): HookOutcome | typeof SUSPENDED {
    const { modules } = run.hooked.hooks;
    for (let at = from; at < modules.length; at++) {
      const loaded = modules[at]!;
      let end: HookOutcome;
      try {
        const value = run.call(loaded.hooks);
        if (isThenable(value)) {
          this.#wait(run, at, value);
          return SUSPENDED;
        }
        end = run.judge(value);
      } catch (error) {
        end = this.#fault(run.exchange, loaded, run.stage, error);
      }
      if (end !== null) return end;
    }
    return null;
  }

  #wait(run: Run, at: number, promise: PromiseLike<unknown>): void {
    const { wheel, driver } = this.#plane;
    const { hooked, exchange, stage } = run;
    const loaded = hooked.hooks.modules[at]!;
    const { timeoutMs } = loaded.module;
    let isDone = false;
    const done = (): boolean => {
      if (isDone) return false;
      isDone = true;
      wheel.cancel(timer);
      hooked.onOver = null;
      return true;
    };
    const goOn = (end: HookOutcome): void => {
      const outcome = end ?? this.#go(run, at + 1);
      if (outcome !== SUSPENDED) run.resume(outcome);
    };
    const timer = new TimerEntry(() => {
      if (!done()) return;
      hooked.cancel();
      const late = new Error(`no result within ${timeoutMs} ms`);
      goOn(this.#fault(exchange, loaded, stage, late, 'hook-timeout'));
    });
    const settled = (judge: () => HookOutcome): void => {
      if (!done() || hooked.isOver) return;
      let end: HookOutcome;
      try {
        end = judge();
      } catch (error) {
        end = this.#fault(exchange, loaded, stage, error);
      }
      goOn(end);
    };
    hooked.onOver = () => void done();
    wheel.schedule(timer, driver.preciseNow() + timeoutMs);
    // Out of the promise: an error of ours behind it must end the worker like any other.
    promise.then(
      (value) => queueMicrotask(() => settled(() => run.judge(value))),
      (error: unknown) =>
        queueMicrotask(() =>
          settled(() => {
            throw error;
          }),
        ),
    );
  }

  /** Counts and tells a failure; what ends the exchange by it, or null when it goes on. */
  #fault(
    exchange: Exchange,
    { name, module }: LoadedHooks,
    stage: Stage,
    error: unknown,
    code: FailureCode = 'hook-failed',
  ): FailureCode | null {
    const { cells } = this.#plane;
    cells[exchange.route!.counters + RouteColumn.HOOK_FAILURES]! += 1;
    this.#note(`${stage} of ${name}, route ${exchange.route!.route.name}: ${stackOf(error)}`);
    return module.onFailure === 'refuse' ? code : null;
  }

  #note(what: string): void {
    const nowMs = this.#plane.driver.preciseNow();
    if (nowMs - this.#notedAtMs < NOTE_EVERY_MS) {
      this.#unnoted++;
      return;
    }
    this.#notedAtMs = nowMs;
    this.#plane.post({ type: 'hook-fault', what, before: this.#unnoted });
    this.#unnoted = 0;
  }

  #pickOf(exchange: Exchange, hooked: Hooked, pool: CompiledPool): HookPick {
    const { words } = this.#plane;
    const slots = new Map<string, number>();
    const servers: HookServer[] = [];
    const isTried = (slot: number): boolean =>
      exchange.tried.subarray(0, exchange.triedCount).includes(slot);
    for (const { slot } of pool.eligible.candidates) {
      const server = pool.servers.get(slot)?.server;
      if (server === undefined || isTried(slot)) continue;
      const { address, weight, labels } = server;
      slots.set(address, slot);
      servers.push({ address, weight, labels, inFlight: Atomics.load(words.inFlight, slot) });
    }
    return {
      request: hooked.request,
      pool: pool.pool.name,
      attempt: exchange.attempts + 1,
      servers,
      exclude: (address) => {
        const slot = slots.get(address);
        if (slot !== undefined && !isTried(slot)) exchange.addTried(slot);
      },
    };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, STACK_LETTERS_MAX);
  // `fetch failed` says why in its cause only.
  const cause = error.cause instanceof Error ? `, as ${error.cause.message}` : '';
  return `${error.stack ?? error.message}${cause}`.slice(0, STACK_LETTERS_MAX);
}

function nothing(): null {
  return null;
}

/** What a hook gave as an answer of ours. Errors: throws `TypeError` for what is none. */
function answerOf(value: unknown): Answer | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') throw new TypeError(`onRequest gave ${typeof value}, no answer`);
  if ('redirect' in value) return redirectOf(value as HookRedirect);
  const { status, body = '', contentType = '', headers = {} } = value as HookAnswer;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`onRequest gave the status ${status}, which must be from 200 to 599`);
  }
  if (typeof body !== 'string') throw new TypeError('onRequest gave a body that is no text');
  if (contentType !== '') checkField('x-content-type', contentType, false);
  for (const [name, text] of Object.entries(headers)) checkField(name, text, false);
  return { status, reason: 'ok', body, contentType, fields: headers };
}

function redirectOf({ redirect, status = 302 }: HookRedirect): Answer {
  if (![301, 302, 303, 307, 308].includes(status)) {
    throw new TypeError(`onRequest gave the status ${status}, which is no redirect`);
  }
  if (typeof redirect !== 'string' || !/^[!-~]{1,8192}$/.test(redirect)) {
    throw new TypeError('onRequest gave a redirect that is no URL');
  }
  return { status, reason: 'ok', body: '', contentType: '', fields: { Location: redirect } };
}
