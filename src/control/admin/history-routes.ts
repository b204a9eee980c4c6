import type { AdminResponse } from '../../platform/admin-listener.ts';
import type { HistoryOutcome } from '../history/questions.ts';
import {
  growthSays,
  readEnd,
  readGrowth,
  readLength,
  readTime,
  timeSays,
} from '../history/times.ts';
import { type AdminError, errorAnswer } from './answer.ts';
import type { AdminCall, AdminRoute } from './route.ts';

/** Endpoints that ask history. */
export const historyRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/v1/history',
    summary:
      'Figures of the past of routes, pools and servers; query: kind, pool, name, from, to, step.',
    isChange: false,
    answers: {
      200: 'Series of points `[atMs, spanMs, …figures]`; `figures` names them.',
      422: 'Not a question.',
      503: 'No history is kept, or it cannot be read.',
    },
    handle: series,
  },
  {
    method: 'GET',
    path: '/v1/report',
    summary:
      'What a time was like: busiest hours and what limited them, shares, error budget, imbalance; query: from, to.',
    isChange: false,
    answers: { 200: 'The report.', 422: 'Not a question.', 503: 'No history is kept.' },
    handle: report,
  },
  {
    method: 'GET',
    path: '/v1/plan',
    summary:
      'What each pool can take and what it will need; query: growth (such as 2x), until (such as 2027-03), pool.',
    isChange: false,
    answers: { 200: 'The plans.', 422: 'Not a question.', 503: 'No history is kept.' },
    handle: plan,
  },
];

const kinds = ['route', 'pool', 'server'] as const;
const hourMs = 3_600_000;
const weekMs = 604_800_000;

async function series({ control, query, nowMs }: AdminCall): Promise<AdminResponse> {
  const unknown = unknownKey(query, ['kind', 'pool', 'name', 'from', 'to', 'step']);
  if (unknown !== null) return unknown;
  const kindSaid = query.get('kind');
  const kind = kinds.find((each) => each === kindSaid) ?? null;
  if (kindSaid !== null && kind === null)
    return refused('kind', `one of ${kinds.join(', ')}`, kindSaid);
  const span = spanOf(query, nowMs, hourMs);
  if ('status' in span) return span;
  const stepSaid = query.get('step');
  const stepMs = stepSaid === null ? null : readLength(stepSaid);
  if (stepSaid !== null && (stepMs === null || stepMs === 0)) {
    return refused('step', 'a length such as 1s, 10s, 5m, 1h or 1d', stepSaid);
  }
  const named = { pool: query.get('pool'), name: query.get('name') };
  return outcomeAnswer(await control.history({ ask: 'series', kind, ...named, ...span, stepMs }));
}

async function report({ control, query, nowMs }: AdminCall): Promise<AdminResponse> {
  const unknown = unknownKey(query, ['from', 'to']);
  if (unknown !== null) return unknown;
  const span = spanOf(query, nowMs, weekMs);
  if ('status' in span) return span;
  return outcomeAnswer(await control.history({ ask: 'report', ...span }));
}

async function plan({ control, query, nowMs }: AdminCall): Promise<AdminResponse> {
  const unknown = unknownKey(query, ['growth', 'until', 'pool']);
  if (unknown !== null) return unknown;
  const growthSaid = query.get('growth');
  const growth = growthSaid === null ? null : readGrowth(growthSaid);
  if (growthSaid !== null && growth === null) return refused('growth', growthSays, growthSaid);
  const untilSaid = query.get('until');
  const untilMs = untilSaid === null ? null : readEnd(untilSaid, nowMs);
  if (untilSaid !== null && (untilMs === null || untilMs <= nowMs)) {
    return refused('until', 'a month or day to come, such as 2027-03', untilSaid);
  }
  return outcomeAnswer(
    await control.history({ ask: 'plan', pool: query.get('pool'), nowMs, growth, untilMs }),
  );
}

/** `from` and `to` of a query. Errors: the refusal to answer with. */
function spanOf(
  query: URLSearchParams,
  nowMs: number,
  lengthMs: number,
): { readonly fromMs: number; readonly toMs: number } | AdminResponse {
  const times = { from: -lengthMs, to: 0 };
  for (const name of ['from', 'to'] as const) {
    const said = query.get(name);
    const ms = said === null ? nowMs + times[name] : readTime(said, nowMs);
    if (ms === null) return refused(name, timeSays, said ?? '');
    times[name] = ms;
  }
  const { from: fromMs, to: toMs } = times;
  if (fromMs < toMs) return { fromMs, toMs };
  return refused('from', 'a time before `to`', query.get('from') ?? 'an hour ago');
}

function unknownKey(query: URLSearchParams, known: readonly string[]): AdminResponse | null {
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  return unknown === undefined ? null : refused('query', `made of ${known.join(', ')}`, unknown);
}

function refused(path: string, requirement: string, found: string): AdminResponse {
  const shown = found.slice(0, 100);
  const message = `Cannot answer as ${path} must be ${requirement}: current value is '${shown}'`;
  const error: AdminError = { code: 'invalid-query', message, path, requirement, found: shown };
  return errorAnswer(422, error);
}

function outcomeAnswer(outcome: HistoryOutcome): AdminResponse {
  if (!outcome.ok) {
    const message = `Cannot answer as ${outcome.problem}`;
    return errorAnswer(503, { code: 'no-history', message });
  }
  const headers = { 'content-type': 'application/json' };
  return { status: 200, headers, body: `${outcome.json}\n` };
}
