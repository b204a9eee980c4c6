import type { SlowStart } from '../model/balancing.ts';

/** Since when a server takes traffic, for one that had its whole share from the start. */
const WHOLE = Number.NEGATIVE_INFINITY;

/**
 * Which part of its weight each server of a pool gets while it is new or has just recovered:
 * max(min, (t / window)^(1 / aggression)), t since it became fit. Where all that are fit are new,
 * each gets its whole share: a tenth of everything for everybody would only look like a ramp.
 * Source: Envoy's slow start; the guard is ours.
 */
export class SlowStartRamps {
  #setting: SlowStart;
  /** By slot. */
  readonly #fitSinceMs = new Map<number, number>();

  constructor(setting: SlowStart) {
    this.#setting = setting;
  }

  apply(setting: SlowStart): void {
    this.#setting = setting;
  }

  /** A server takes traffic from now on; `isKnown`: one that is not to be treated with care. */
  fit(slot: number, nowMs: number, isKnown: boolean): void {
    if (!this.#fitSinceMs.has(slot)) this.#fitSinceMs.set(slot, isKnown ? WHOLE : nowMs);
  }

  /** It takes none any more, or left. */
  unfit(slot: number): void {
    this.#fitSinceMs.delete(slot);
  }

  /** Calls with the factor of each fit server; true while some of them are on their way. */
  each(nowMs: number, onFactor: (slot: number, factor: number) => void): boolean {
    const { windowMs } = this.#setting;
    let ramping = 0;
    for (const sinceMs of this.#fitSinceMs.values()) if (nowMs - sinceMs < windowMs) ramping++;
    const areAllNew = ramping === this.#fitSinceMs.size;
    for (const [slot, sinceMs] of this.#fitSinceMs) {
      onFactor(slot, areAllNew ? 1 : this.#factorAfter(nowMs - sinceMs));
    }
    return ramping > 0;
  }

  /** Where a server is on its way; null when it gets its whole share for another reason than time. */
  rampOf(
    slot: number,
    nowMs: number,
  ): { readonly factor: number; readonly wholeAtMs: number } | null {
    const sinceMs = this.#fitSinceMs.get(slot);
    if (sinceMs === undefined || nowMs - sinceMs >= this.#setting.windowMs) return null;
    let factor = 1;
    this.each(nowMs, (one, share) => {
      if (one === slot) factor = share;
    });
    return factor === 1 ? null : { factor, wholeAtMs: sinceMs + this.#setting.windowMs };
  }

  #factorAfter(ms: number): number {
    const { windowMs, aggression, minRatio } = this.#setting;
    if (ms >= windowMs) return 1;
    return Math.max(minRatio, (Math.max(ms, 0) / windowMs) ** (1 / aggression));
  }
}
