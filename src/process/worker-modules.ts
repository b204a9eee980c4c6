import type { CustomPolicies } from '../balance/custom.ts';
import { InvariantError } from '../base/invariant.ts';
import type { DataPlane } from '../data/worker.ts';
import type { HookModule, Hooks } from '../model/hooks.ts';
import type { FromWorker } from '../model/messages.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { UserModules } from '../platform/user-modules.ts';
import { PolicyModules } from './policy-modules.ts';

/** Modules that a snapshot names: policies by its pools, and hooks. */
export interface NamedModules {
  readonly pools: Snapshot['pools'];
  readonly hooks: readonly HookModule[];
}

/** The user's modules in a worker thread: imported before the snapshot that names them is applied. */
export class WorkerModules {
  readonly #modules: UserModules;
  readonly #policies: PolicyModules = new PolicyModules();
  #waiting = 0;
  #applied: Promise<void> = Promise.resolve();
  #isGuarded = false;

  constructor(post: (message: FromWorker) => void) {
    // `hooks.ts` in a checkout, `hooks.js` in the package.
    const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    const library = new URL(`../model/hooks${ending}`, import.meta.url);
    this.#modules = new UserModules(library, (what) =>
      post({ type: 'hook-fault', what, before: 0 }),
    );
  }

  /** Imports what a snapshot names. */
  async load(named: NamedModules): Promise<void> {
    await Promise.all([this.#modules.load(named.hooks), this.#policies.load(named)]);
  }

  /** Policies of modules that were imported. */
  get policies(): CustomPolicies {
    return this.#policies.policies;
  }

  /** Functions of a module that was imported. */
  readonly hooksOf = (module: HookModule): Hooks | null =>
    // What it exports was looked at before the configuration was accepted.
    this.#modules.exportOf(module) as Hooks | null;

  /** Calls `apply` when the modules of a snapshot are there, one snapshot after the other. */
  whenLoaded(named: NamedModules, apply: () => void): void {
    const hasAll = this.#modules.hasAll(named.hooks) && this.#policies.has(named);
    if (this.#waiting === 0 && hasAll) {
      apply();
      return;
    }
    this.#waiting++;
    this.#applied = this.#applied
      .then(() => this.load(named))
      .then(() => {
        this.#waiting--;
        // Outside of the promise: an error of ours ends the worker like any other.
        queueMicrotask(apply);
      });
  }

  /**
   * What a hook starts and waits for no longer (a promise, a timer) may fail too: that is logged, and the
   * worker lives on. Every other error ends it. Nothing changes for workers without hooks.
   */
  guard(plane: DataPlane, named: NamedModules): void {
    if (this.#isGuarded || named.hooks.length === 0) return;
    this.#isGuarded = true;
    const take = (error: unknown): void => {
      if (!this.#modules.isTheirs(error) || error instanceof InvariantError) throw error;
      plane.strayFault(error);
    };
    process.on('uncaughtException', take);
    process.on('unhandledRejection', take);
  }
}
