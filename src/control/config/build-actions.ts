import type {
  ErrorPage,
  HeaderRules,
  Mirror,
  Redirect,
  Rewrite,
  RouteActions,
  Split,
} from '../../model/actions.ts';
import type { Checked, CheckedHeaderRules, CheckedRoute } from './checked.ts';

/** Every pool that a route names. */
export function poolsOf(route: CheckedRoute): readonly string[] {
  const shares = (route.split ?? []).map(({ pool }) => pool);
  return [route.pool, route.fallback, route.mirror?.pool, ...shares].filter(
    (pool) => pool !== undefined,
  );
}

/** What a route does beside its pool; null when that is nothing. */
export function buildActions(route: CheckedRoute): RouteActions | null {
  const actions: RouteActions = {
    split: buildSplit(route),
    fallback: route.fallback ?? null,
    mirror: buildMirror(route),
    redirect: buildRedirect(route),
    rewrite: buildRewrite(route),
    requestHeaders: buildRules(route.headers?.request),
    responseHeaders: buildRules(route.headers?.response),
    errors: buildErrors(route.errors),
  };
  const isNothing = Object.values(actions).every(
    (action) => action === null || (Array.isArray(action) && action.length === 0),
  );
  return isNothing ? null : actions;
}

function buildSplit({ split, splitBy }: CheckedRoute): Split | null {
  if (split === undefined) return null;
  return {
    by: splitBy ?? { kind: 'client' },
    shares: split.map(({ pool, weight }) => ({ pool: pool ?? '', weight: weight ?? 0 })),
  };
}

function buildMirror({ mirror }: CheckedRoute): Mirror | null {
  if (mirror === undefined) return null;
  return {
    pool: mirror.pool ?? '',
    share: mirror.share ?? 1,
    bodyBytesMax: mirror.bodyMax ?? 65_536,
    timeoutMs: mirror.timeout ?? 5_000,
    pendingMax: mirror.pending ?? 100,
  };
}

function buildRedirect({ redirect }: CheckedRoute): Redirect | null {
  if (redirect === undefined) return null;
  return { to: redirect.to ?? '', status: redirect.status ?? 302 };
}

function buildRewrite({ rewrite }: CheckedRoute): Rewrite | null {
  if (rewrite === undefined) return null;
  return {
    host: rewrite.host ?? null,
    path: rewrite.path ?? null,
    stripPrefix: rewrite.stripPrefix ?? null,
    addPrefix: rewrite.addPrefix ?? null,
    pattern:
      rewrite.pattern === undefined
        ? null
        : { match: rewrite.pattern, replace: rewrite.replace ?? '' },
  };
}

function buildRules(rules: CheckedHeaderRules | undefined): HeaderRules | null {
  if (rules === undefined) return null;
  const lines = (map: ReadonlyMap<string, string> | undefined) =>
    [...(map ?? [])].map(([name, value]) => ({ name, value }));
  return { remove: rules.remove ?? [], set: lines(rules.set), add: lines(rules.add) };
}

/** Error pages, those with the narrowest range first. */
export function buildErrors(errors: Checked['errors']): readonly ErrorPage[] {
  const pages = [...(errors ?? [])].map(([statuses, page]) => {
    const [first = '', last = first] = statuses.split('-');
    return {
      first: Number(first),
      last: Number(last),
      body: page.body ?? '',
      file: page.file ?? null,
      contentType: page.contentType ?? contentTypeOf(page.file),
      replacesUpstream: page.replaceUpstream ?? false,
    };
  });
  // Not as written: in JavaScript, keys that are numbers come first whatever was written.
  return pages.sort((a, b) => a.last - a.first - (b.last - b.first));
}

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
  xml: 'application/xml',
};

/** By the ending of a file; plain text for any other, and without one. */
export function contentTypeOf(file: string | undefined): string {
  const ending = /\.([a-z]+)$/i.exec(file ?? '')?.[1]?.toLowerCase() ?? '';
  return (Object.hasOwn(types, ending) ? types[ending] : null) ?? 'text/plain; charset=utf-8';
}
