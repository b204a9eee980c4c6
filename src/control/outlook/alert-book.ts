/** What is wrong, and with what. */
export interface Alert {
  readonly rule: 'errors' | 'p99' | 'headroom' | 'server-down';
  readonly pool: string;
  /** Null where the pool as a whole is meant. */
  readonly server: string | null;
}

/** How a rule finds things now; between the two bounds of its hysteresis it says neither. */
export type Finding = 'bad' | 'between' | 'good';

/** What a judgement changes. */
export type AlertChange = 'raised' | 'cleared' | null;

interface State {
  readonly alert: Alert;
  isRaised: boolean;
  badSinceMs: number | null;
  goodSinceMs: number | null;
  judgedMs: number;
}

/** How long an alert must be bad without a break to be raised, and good to be cleared. */
export interface AlertDelays {
  readonly raiseMs: number;
  readonly clearMs: number;
}

/**
 * Which alerts are raised. Twice bounded, so that none flaps: a finding must hold, and what lies
 * between bad and good changes nothing.
 */
export class AlertBook {
  readonly #states = new Map<string, State>();

  /** Alerts that are raised now. */
  get raised(): readonly Alert[] {
    return [...this.#states.values()].filter(({ isRaised }) => isRaised).map(({ alert }) => alert);
  }

  judge(alert: Alert, finding: Finding, nowMs: number, delays: AlertDelays): AlertChange {
    const key = `${alert.rule}\n${alert.pool}\n${alert.server ?? ''}`;
    const known = this.#states.get(key);
    if (known === undefined && finding !== 'bad') return null;
    const state = known ?? newState(alert, nowMs);
    this.#states.set(key, state);
    state.judgedMs = nowMs;
    state.badSinceMs = finding === 'bad' ? (state.badSinceMs ?? nowMs) : null;
    state.goodSinceMs = finding === 'good' ? (state.goodSinceMs ?? nowMs) : null;
    if (!state.isRaised && state.badSinceMs !== null) {
      if (nowMs - state.badSinceMs < delays.raiseMs) return null;
      state.isRaised = true;
      return 'raised';
    }
    if (state.isRaised && state.goodSinceMs === null) return null;
    if (state.isRaised && nowMs - (state.goodSinceMs ?? nowMs) < delays.clearMs) return null;
    this.#states.delete(key);
    return state.isRaised ? 'cleared' : null;
  }

  /** Forgets alerts of what is gone: those last judged before. Gives those that were raised. */
  forget(beforeMs: number): readonly Alert[] {
    const gone = [...this.#states].filter(([, { judgedMs }]) => judgedMs < beforeMs);
    for (const [key] of gone) this.#states.delete(key);
    return gone.filter(([, { isRaised }]) => isRaised).map(([, { alert }]) => alert);
  }
}

function newState(alert: Alert, nowMs: number): State {
  return { alert, isRaised: false, badSinceMs: null, goodSinceMs: null, judgedMs: nowMs };
}
