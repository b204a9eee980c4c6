import type { FailureCode } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import type { TemplatePart } from '../model/template.ts';
import type { Head } from '../wire/http1/head.ts';
import type { HeadEdits } from '../wire/http1/head-edits.ts';
import { ascii } from '../wire/http1/tokens.ts';
import type { Answer } from './answers.ts';
import { escapeFor } from './escape.ts';
import type { Exchange } from './exchange.ts';
import { beginMirror } from './mirror.ts';
import type { Plane } from './plane.ts';
import { latin1, render } from './request-text.ts';
import { rewritePath } from './rewrite.ts';
import type {
  CompiledActions,
  CompiledRules,
  CompiledSplit,
  TemplateAnswer,
} from './route-actions.ts';
import { linesOf, RoutePlan } from './route-plan.ts';

/**
 * Does what a route does beside its pool while the request's head is valid: chooses a pool of its
 * split, notes header changes. Returns an answer or a failure that ends the
 * exchange here, or null when it goes on.
 */
export function act(
  plane: Plane,
  exchange: Exchange,
  actions: CompiledActions,
  head: Head,
): Answer | FailureCode | null {
  if (actions.split !== null) exchange.pool = poolOf(plane, exchange, actions.split, head);
  const { request, response, rewrite, redirect, respond } = actions;
  let requestLines: readonly string[] | null = null;
  let responseLines: readonly string[] | null = null;
  if (request !== null && request.constant === null) {
    requestLines = ruleLines(request, plane, exchange, head);
  }
  if (response !== null && response.constant === null) {
    responseLines = ruleLines(response, plane, exchange, head);
  }
  if (lengthOf(requestLines) + lengthOf(responseLines) > limits.headerRuleBytes) {
    return 'header-too-large';
  }
  let edits = request === null ? null : request.constant;
  if (requestLines !== null && request !== null) {
    edits = { drops: request.drops, lines: linesOf(requestLines, ''), host: null };
  }
  if (rewrite !== null && rewrite.host !== null) {
    const host = hostOf(rewrite.host, plane, exchange, head);
    if (host === null) return 'host-invalid';
    edits = withHost(edits, host);
  }
  if (edits !== null || response !== null || actions.replacesErrors) {
    exchange.plan = new RoutePlan(actions, edits, responseLines);
  }
  if (redirect !== null) return redirectAnswer(redirect, plane, exchange, head);
  if (respond !== null) return respondAnswer(respond, plane, exchange, head);
  return null;
}

/**
 * Does what comes after the pool is known and has taken its key from the head: everything before
 * names the path as the client sent it. False when the rewrite gives no path to forward.
 */
export function actLast(
  plane: Plane,
  exchange: Exchange,
  actions: CompiledActions,
  head: Head,
): boolean {
  const { rewrite, mirror } = actions;
  if (rewrite !== null && !rewritePath(rewrite, plane, exchange, head)) return false;
  if (mirror === null) return true;
  const copy = beginMirror(plane, exchange, mirror, head);
  if (copy === null) return true;
  exchange.plan ??= new RoutePlan(actions, null, null);
  exchange.plan.mirror = copy;
  return true;
}

function poolOf(plane: Plane, exchange: Exchange, split: CompiledSplit, head: Head) {
  const { isDrawn, key, table, pools } = split;
  if (isDrawn) return pools[table.draw(plane.random())]!;
  const { addressHash } = exchange;
  return pools[table.of(key === null ? addressHash : key.hashOr(head, addressHash))]!;
}

function ruleLines(
  rules: CompiledRules,
  plane: Plane,
  exchange: Exchange,
  head: Head,
): readonly string[] {
  return rules.lines.map(({ prefix, value }) => prefix + render(value, plane, exchange, head));
}

function lengthOf(lines: readonly string[] | null): number {
  let length = 0;
  for (const line of lines ?? []) length += line.length + 2;
  return length;
}

/** The Host field of a rewrite; null when a request without a host leaves none. */
function hostOf(
  parts: readonly TemplatePart[],
  plane: Plane,
  exchange: Exchange,
  head: Head,
): Uint8Array | null {
  const host = render(parts, plane, exchange, head);
  return /^([A-Za-z0-9_-]|\[)/.test(host) && host.length <= 255 ? ascii(host) : null;
}

const NO_LINES = new Uint8Array(0);

function withHost(edits: HeadEdits | null, host: Uint8Array): HeadEdits {
  return { drops: edits?.drops ?? [], lines: edits?.lines ?? NO_LINES, host };
}

/** What a URI cannot carry is escaped; a path that begins with two slashes would name another host. */
function redirectAnswer(
  redirect: NonNullable<CompiledActions['redirect']>,
  plane: Plane,
  exchange: Exchange,
  head: Head,
): Answer | FailureCode {
  const needsHost = redirect.to.some((part) => 'variable' in part && part.variable === 'host');
  if (needsHost && head.hostStart === head.hostEnd) return 'host-invalid';
  const isStar = latin1(head.pathBytes, head.pathStart, head.pathEnd) === '*';
  const to = render(redirect.to, plane, exchange, head, (fact) =>
    isStar && fact.startsWith('*') ? '/' : uriSafe(fact),
  ).replace(/^\/\/+/, '/');
  return {
    status: redirect.status,
    reason: 'ok',
    body: '',
    contentType: '',
    fields: { Location: to },
  };
}

function uriSafe(fact: string): string {
  return fact.replace(/[^!#-;=?-[\]_a-z|~]/g, (octet) => {
    return `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function respondAnswer(
  { answer, body, fields }: TemplateAnswer,
  plane: Plane,
  exchange: Exchange,
  head: Head,
): Answer {
  const rendered = fields.map(([name, value]) => [name, render(value, plane, exchange, head)]);
  return {
    status: answer.status,
    reason: 'ok',
    body: render(body, plane, exchange, head, escapeFor(answer.contentType)),
    contentType: answer.contentType,
    fields: Object.fromEntries(rendered),
  };
}
