import type { ErrorPage } from '../model/actions.ts';
import { errorVariables, type TemplatePart } from '../model/template.ts';
import type { Head } from '../wire/http1/head.ts';
import { escapeFor } from './escape.ts';
import type { Exchange } from './exchange.ts';
import { fieldText } from './request-text.ts';
import { partsOf } from './template-parts.ts';

/** An error page with its template taken apart. */
export interface CompiledPage {
  readonly first: number;
  readonly last: number;
  readonly body: readonly TemplatePart[];
  readonly contentType: string;
  readonly replacesUpstream: boolean;
}

/** Error pages in the order in which they are looked at; null where there are none. */
export type ErrorPages = readonly CompiledPage[] | null;

/** Compiles pages: those of a route come before those of the whole configuration. */
export function compilePages(pages: readonly ErrorPage[]): ErrorPages {
  if (pages.length === 0) return null;
  return pages.map((page) => ({
    ...page,
    body: page.file === null ? partsOf(page.body, errorVariables) : [{ text: page.body }],
  }));
}

/** The first page for a status; null when there is none. */
export function pageFor(pages: ErrorPages, status: number): CompiledPage | null {
  return pages?.find(({ first, last }) => status >= first && status <= last) ?? null;
}

/** The page for an error that this exchange is answered with. */
export function pageOf(exchange: Exchange, status: number): CompiledPage | null {
  const { route, listener } = exchange;
  return pageFor(route === null ? listener!.table.errorPages : route.errorPages, status);
}

/** What a page tells of one error. */
export interface ErrorFacts {
  readonly status: number;
  readonly reason: string;
  readonly requestId: string;
  readonly route: string;
}

/** The body of a page for one error. */
export function pageBody(page: CompiledPage, facts: ErrorFacts): string {
  const escapeFact = escapeFor(page.contentType);
  return page.body
    .map((part) => ('text' in part ? part.text : escapeFact(factOf(part.variable, facts))))
    .join('');
}

function factOf(variable: string, facts: ErrorFacts): string {
  switch (variable) {
    case 'status':
      return String(facts.status);
    case 'reason':
      return facts.reason;
    case 'requestId':
      return facts.requestId;
    default:
      return facts.route;
  }
}

/** Fields that belong to a status and stay with it (RFC 9110 §10.2.1, §10.2.3, §11.6.1). */
const KEPT = ['Allow', 'Retry-After', 'WWW-Authenticate'] as const;

/** The fields of a server's answer that an error page instead of it still needs. */
export function fieldsToKeep(head: Head): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name of KEPT) {
    const value = fieldText(head, name.toLowerCase());
    if (value !== null) fields[name] = value;
  }
  return fields;
}
