import { failures } from '../model/failure.ts';
import { Method } from '../wire/http1/head.ts';
import { isDropped } from '../wire/http1/head-edits.ts';
import { localAnswer } from '../wire/http1/local-answer.ts';
import { Act } from './acts.ts';
import { pageBody, pageOf } from './error-pages.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/** An answer of our own. */
export interface Answer {
  readonly status: number;
  /** Reason word; its sentence is the body when `body` is null. */
  readonly reason: string;
  readonly body: string | null;
  readonly contentType: string;
  readonly fields: Readonly<Record<string, string>> | null;
}

/** Seconds after which a 503 of ours suggests to try again: a probe's interval has then passed. */
const RETRY_AFTER_S = '5';

/** A breaker opens for a known time; else a probe's interval. */
function retryAfterOf({ pool }: Exchange, { reason }: Answer): string {
  const breaker = reason === 'circuit-open' ? (pool?.pool.breaker ?? null) : null;
  return breaker === null ? RETRY_AFTER_S : String(Math.ceil(breaker.openMs / 1000));
}

/** Serialises an answer of ours for HTTP/1. Cost: strings; errors and fixed answers only. */
export function answerBytes(
  plane: Plane,
  exchange: Exchange,
  answer: Answer,
  closes: boolean,
): Uint8Array {
  if (exchange.requestNumber < 0) exchange.requestNumber = plane.nextRequestNumber();
  const requestId = plane.requestIdText(exchange.requestNumber);
  const edits = exchange.plan?.responseEdits(exchange) ?? null;
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.fields ?? {})) {
    if (edits === null || !isDropped(name, edits)) fields[name] = value;
  }
  if (answer.status === 503 && answer.body === null)
    fields['Retry-After'] ??= retryAfterOf(exchange, answer);
  const page = answer.body === null ? pageOf(exchange, answer.status) : null;
  if (page !== null) exchange.acts |= Act.ERROR_PAGE;
  return localAnswer({
    status: answer.status,
    body:
      page === null
        ? (answer.body ?? explanation(answer.reason, requestId))
        : pageBody(page, {
            status: answer.status,
            reason: answer.reason,
            requestId,
            route: exchange.route?.route.name ?? '',
          }),
    contentType: page?.contentType ?? (answer.contentType || 'text/plain; charset=utf-8'),
    fields,
    ...(edits === null ? {} : { lines: textOf(edits.lines) }),
    closes,
    isHead: exchange.method === Method.HEAD,
    date: plane.date,
    requestId,
  });
}

/** Octets as characters: what `localAnswer` makes octets of again. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function explanation(reason: string, requestId: string): string {
  const says = reason in failures ? failures[reason as keyof typeof failures].says : reason;
  return `${reason}: ${says}\nrequest ${requestId}\n`;
}
