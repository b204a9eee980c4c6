import type { RunningTimer } from '../../platform/clock.ts';
import type { ConfigServer } from '../config/config.ts';
import type { RunningSource, SourceMeans, SourceSink } from './source.ts';

/** What one question gave. `servers` null: the same as before. */
export interface Asked {
  readonly servers: readonly ConfigServer[] | null;
  /** When to ask again. */
  readonly nextMs: number;
}

/** After a failure: half a second, doubling to 10 s, so that what is back is found soon. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 10_000;
/** Share of a pause that is random: balancers that start together must not ask together for ever. */
const JITTER = 0.1;

/**
 * A source that is asked again and again: one question at a time, after a failure with a growing pause.
 * `ask` rejects with the reason when there is no answer.
 */
export function askAgain(
  means: SourceMeans,
  sink: SourceSink,
  ask: () => Promise<Asked>,
): RunningSource {
  let timer: RunningTimer | null = null;
  let isStopped = false;
  let failures = 0;
  const wait = (ms: number): void => {
    const delayMs = ms * (1 - JITTER * means.random());
    timer = means.clock.after(delayMs, () => void once());
  };
  const once = async (): Promise<void> => {
    try {
      const { servers, nextMs } = await ask();
      if (isStopped) return;
      failures = 0;
      if (servers === null) sink.same();
      else sink.found(servers);
      wait(nextMs);
    } catch (error) {
      if (isStopped) return;
      sink.failed(error instanceof Error ? error.message : String(error));
      wait(Math.min(RETRY_MS * 2 ** Math.min(failures, 8), RETRY_MS_MAX));
      failures++;
    }
  };
  void once();
  return {
    stop: () => {
      isStopped = true;
      timer?.stop();
    },
  };
}
