import type { PlanAnswer } from '../control/history/answer-plan.ts';
import type { HistoryOutcome, OpenQuestion, PoolAims } from '../control/history/questions.ts';
import { Notifier } from '../control/outlook/notifier.ts';
import { Outlook } from '../control/outlook/outlook.ts';
import type { Clock } from '../platform/clock.ts';
import { runProgram } from '../platform/run-program.ts';
import { sendWebhook } from '../platform/webhook.ts';
import type { ProcessLog } from './process-log.ts';

/** What the outlook of a balancer needs of it. */
export interface OutlookParts {
  readonly aims: () => readonly PoolAims[];
  readonly ask: (question: OpenQuestion) => Promise<HistoryOutcome>;
  readonly clock: Clock;
  readonly log: ProcessLog;
}

/** The outlook of a balancer, with the machine's own means. */
export function createOutlook({ aims, ask, clock, log }: OutlookParts): Outlook {
  const warn = (message: string): void => log.warn(message);
  const notifier = new Notifier({ send: sendWebhook, clock, warn });
  return new Outlook({
    clock,
    aims,
    notify: (url, body) => notifier.notify(url, body),
    run: runProgram,
    log: (level, message) => log[level](message),
    planOf: async (pool) => {
      const asked = { ask: 'plan', pool, growth: null, untilMs: null } as const;
      const outcome = await ask({ ...asked, nowMs: clock.wallMs() });
      if (!outcome.ok) return null;
      return (JSON.parse(outcome.json) as PlanAnswer).pools[0] ?? null;
    },
  });
}
