import { groupCount } from '../../match/pattern.ts';
import { fieldRefusal } from './action-forms.ts';
import type { Checked, CheckedHeaderRules, CheckedRoute } from './checked.ts';
import { shown } from './problem.ts';
import { checkPoolName, type Refuse } from './refuse.ts';
import { keyPath } from './source-tree.ts';

type CheckedRewrite = NonNullable<CheckedRoute['rewrite']>;

/** Fields that frame the message or that the answer gets by itself. */
const managedFields: readonly string[] = [
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** The four things that can become of a request; a route has one of them. */
const ends = ['pool', 'split', 'redirect', 'respond'] as const;

/** Checks what a route does with its requests. Cost: linear. */
export function checkActions(
  route: CheckedRoute,
  path: string,
  checked: Checked,
  refuse: Refuse,
): void {
  checkPoolName(route.pool, `${path}.pool`, checked, refuse);
  checkPoolName(route.fallback, `${path}.fallback`, checked, refuse);
  checkPoolName(route.mirror?.pool, `${path}.mirror.pool`, checked, refuse);
  checkEnd(route, path, checked, refuse);
  checkFallback(route, path, refuse);
  checkSplit(route, path, checked, refuse);
  checkRewrite(route, path, refuse);
  checkRules(route.headers?.request, `${path}.headers.request`, true, refuse);
  checkRules(route.headers?.response, `${path}.headers.response`, false, refuse);
  checkRespond(route, path, refuse);
  checkPages(route.errors, `${path}.errors`, refuse);
}

function checkEnd(route: CheckedRoute, path: string, checked: Checked, refuse: Refuse): void {
  const found = ends.filter((end) => route[end] !== undefined);
  const last = found.at(-1);
  if (found.length > 1 && last !== undefined) {
    const requirement = 'must stand alone: a route has a pool, split, redirect or respond';
    const isBoth = found.length === 2;
    refuse(
      `${path}.${last}`,
      requirement,
      isBoth ? `found ${found.join(' and ')}` : `found ${found.join(', ')}`,
    );
  }
  if (found.length === 0 && !refuse.isFaulty(path)) {
    const hint = checked.pools?.size === 1 ? `pool: ${[...checked.pools.keys()][0]}` : null;
    const requirement = 'must be given where there is no split, redirect or respond';
    refuse(`${path}.pool`, requirement, 'found none', hint);
  }
  const isAnswered = route.redirect !== undefined || route.respond !== undefined;
  if (!isAnswered) return;
  const what = route.redirect === undefined ? 'respond' : 'redirect';
  if (route.rewrite !== undefined) refuseUseless('rewrite');
  if (route.headers?.request !== undefined) refuseUseless('headers.request');
  if (route.fallback !== undefined) refuseUseless('fallback');
  if (route.mirror !== undefined) refuseUseless('mirror');

  function refuseUseless(key: string): void {
    const requirement = `must be left out beside ${what}, since no server gets the request`;
    refuse(`${path}.${key}`, requirement, 'found a value');
  }
}

/** A fallback that is where the request comes from would try the same servers again. */
function checkFallback({ pool, fallback }: CheckedRoute, path: string, refuse: Refuse): void {
  if (fallback === undefined || fallback !== pool) return;
  refuse(`${path}.fallback`, "must be another pool than the route's", `found ${shown(fallback)}`);
}

function checkSplit(route: CheckedRoute, path: string, checked: Checked, refuse: Refuse): void {
  const { split, splitBy } = route;
  if (splitBy !== undefined && split === undefined && !refuse.isFaulty(`${path}.split`)) {
    refuse(`${path}.splitBy`, 'must be left out where there is no split', 'found a value');
  }
  if (split === undefined) return;
  for (const [index, { pool }] of split.entries()) {
    const at = `${path}.split[${index}].pool`;
    checkPoolName(pool, at, checked, refuse);
    const isRepeated = split.findIndex((share) => share.pool === pool) < index;
    if (pool !== undefined && isRepeated) {
      refuse(at, 'must be unique within its split', `found ${shown(pool)} twice`);
    }
  }
  if (split.length > 0 && split.every(({ weight }) => weight === 0)) {
    refuse(`${path}.split`, 'must have a weight above 0', 'found only 0');
  }
}

function checkRewrite({ rewrite }: CheckedRoute, path: string, refuse: Refuse): void {
  if (rewrite === undefined) return;
  checkPattern(rewrite, `${path}.rewrite`, refuse);
  const whole = rewrite.path !== undefined ? 'path' : 'pattern';
  if (rewrite[whole] === undefined) return;
  for (const key of ['stripPrefix', 'addPrefix', 'pattern'] as const) {
    if (rewrite[key] === undefined || key === whole) continue;
    const requirement = `must be left out beside ${whole}, which says all of the path`;
    refuse(`${path}.rewrite.${key}`, requirement, `found ${shown(rewrite[key])}`);
  }
}

function checkPattern(rewrite: CheckedRewrite, path: string, refuse: Refuse): void {
  const { pattern, replace } = rewrite;
  if ((pattern === undefined) !== (replace === undefined)) {
    const missing = pattern === undefined ? 'pattern' : 'replace';
    if (!refuse.isFaulty(`${path}.${missing}`)) {
      const other = pattern === undefined ? 'replace' : 'pattern';
      refuse(`${path}.${missing}`, `must be given beside ${other}`, 'found nothing');
    }
    return;
  }
  if (pattern === undefined || replace === undefined) return;
  const groups = groupCount(pattern);
  const wanted = [...replace.matchAll(/\$([$1-9])/g)].map(([, digit]) => Number(digit));
  if (!wanted.some((group) => group > groups)) return;
  const requirement = `must name only groups that the pattern has (${groups})`;
  refuse(`${path}.replace`, requirement, `found ${shown(replace)}`);
}

function checkRules(
  rules: CheckedHeaderRules | undefined,
  path: string,
  isRequest: boolean,
  refuse: Refuse,
): void {
  const check = (field: string, at: string, isSet: boolean): void => {
    const requirement = fieldRefusal(field, { isRequest, isSet });
    if (requirement === null) return;
    const hint = isRequest && field.toLowerCase() === 'host' ? 'rewrite.host' : null;
    refuse(at, requirement, `found ${shown(field)}`, hint);
  };
  for (const [index, field] of (rules?.remove ?? []).entries()) {
    check(field, `${path}.remove[${index}]`, false);
  }
  for (const field of rules?.set?.keys() ?? []) check(field, keyPath(`${path}.set`, field), true);
  for (const field of rules?.add?.keys() ?? []) check(field, keyPath(`${path}.add`, field), false);
}

/** Exactly one of body and file. */
export function checkPages(errors: Checked['errors'], path: string, refuse: Refuse): void {
  for (const [statuses, page] of errors ?? []) {
    const at = keyPath(path, statuses);
    if (page.body !== undefined && page.file !== undefined) {
      refuse(`${at}.file`, 'must stand alone: a page has a body or a file', 'found both');
    } else if (page.body === undefined && page.file === undefined && !refuse.isFaulty(at)) {
      refuse(`${at}.body`, 'must be given where there is no file', 'found neither');
    }
  }
}

function checkRespond({ respond }: CheckedRoute, path: string, refuse: Refuse): void {
  if (respond === undefined) return;
  if (respond.body !== undefined && respond.file !== undefined) {
    const requirement = 'must stand alone: an answer has a body or a file';
    refuse(`${path}.respond.file`, requirement, 'found both');
  }
  const hasBody = (respond.body ?? '') !== '' || respond.file !== undefined;
  if (hasBody && [204, 205, 304].includes(respond.status ?? 0)) {
    refuse(
      `${path}.respond.body`,
      `must be left out with status ${respond.status}`,
      'found a text',
    );
  }
  for (const field of respond.headers?.keys() ?? []) {
    if (!managedFields.includes(field.toLowerCase())) continue;
    const hint = field.toLowerCase() === 'content-type' ? 'respond.contentType' : null;
    const requirement = 'must be a field that the answer does not get by itself';
    refuse(keyPath(`${path}.respond.headers`, field), requirement, `found ${shown(field)}`, hint);
  }
}
