import { invariant } from '../base/invariant.ts';
import { RequestValue } from '../match/request-value.ts';
import { SplitTable } from '../match/split.ts';
import type { HeaderRules, Mirror, RouteActions, SplitKey } from '../model/actions.ts';
import type { FixedAnswer, Route } from '../model/snapshot.ts';
import {
  answerVariables,
  requestVariables,
  responseVariables,
  type TemplatePart,
  type VariableName,
} from '../model/template.ts';
import { foldedName, type HeadEdits } from '../wire/http1/head-edits.ts';
import { ascii } from '../wire/http1/tokens.ts';
import type { ErrorPages } from './error-pages.ts';
import type { CompiledMirror } from './mirror.ts';
import type { Plane } from './plane.ts';
import { compileRewrite, type PathRewrite } from './rewrite.ts';
import type { CompiledPool } from './table.ts';
import { partsOf } from './template-parts.ts';

/** What a route does beside its pool, as a worker uses it. */
export interface CompiledActions {
  readonly split: CompiledSplit | null;
  readonly redirect: { readonly to: readonly TemplatePart[]; readonly status: number } | null;
  /** A fixed answer with variables; null for one without. */
  readonly respond: TemplateAnswer | null;
  readonly rewrite: PathRewrite | null;
  readonly request: CompiledRules | null;
  readonly response: CompiledRules | null;
  readonly fallback: CompiledPool | null;
  readonly mirror: CompiledMirror | null;
  /** Some error page of the route stands for servers' answers too. */
  readonly replacesErrors: boolean;
}

/** Pools in the order of their shares. */
export interface CompiledSplit {
  /** Each request by itself, not by its user. */
  readonly isDrawn: boolean;
  /** What users are told apart by; null = their address. */
  readonly key: RequestValue | null;
  readonly table: SplitTable;
  readonly pools: readonly CompiledPool[];
}

/** Header rules with their templates taken apart. */
export interface CompiledRules {
  readonly drops: readonly Uint8Array[];
  readonly lines: readonly RuleLine[];
  /** The whole, where no value has a variable. */
  readonly constant: HeadEdits | null;
}

/** A line to write: `Name: ` and its value. */
export interface RuleLine {
  readonly prefix: string;
  readonly value: readonly TemplatePart[];
}

/** A fixed answer whose texts have variables. */
export interface TemplateAnswer {
  readonly answer: FixedAnswer;
  readonly body: readonly TemplatePart[];
  readonly fields: readonly (readonly [name: string, value: readonly TemplatePart[]])[];
}

/** Compiles the actions of a route; null when it has none, which is what requests look at. */
export function compileActions(
  route: Route,
  pools: ReadonlyMap<string, CompiledPool>,
  errorPages: ErrorPages,
  plane: Plane,
): CompiledActions | null {
  const { actions } = route;
  const respond = route.respond === null ? null : templateAnswer(route.respond);
  const replacesErrors = errorPages?.some((page) => page.replacesUpstream) ?? false;
  if (actions === null && respond === null && !replacesErrors) return null;
  return {
    split: actions === null ? null : compileSplit(actions, pools),
    redirect: actions?.redirect
      ? { to: partsOf(actions.redirect.to, answerVariables), status: actions.redirect.status }
      : null,
    respond,
    rewrite: actions?.rewrite ? compileRewrite(actions.rewrite) : null,
    request: compileRules(actions?.requestHeaders ?? null, requestVariables),
    response: compileRules(actions?.responseHeaders ?? null, responseVariables),
    mirror: actions?.mirror ? compileMirror(actions.mirror, route, pools, plane) : null,
    replacesErrors,
    fallback: actions?.fallback ? poolNamed(actions.fallback, pools) : null,
  };
}

function isLiteral(parts: readonly TemplatePart[]): boolean {
  return parts.every((part) => 'text' in part);
}

function compileSplit(
  { split }: RouteActions,
  pools: ReadonlyMap<string, CompiledPool>,
): CompiledSplit | null {
  if (split === null) return null;
  return {
    isDrawn: split.by.kind === 'request',
    key: keyOf(split.by),
    table: new SplitTable(split.shares),
    pools: split.shares.map(({ pool }) => poolNamed(pool, pools)),
  };
}

/** The load stays with the route's slot over reloads: copies of before still count. */
function compileMirror(
  mirror: Mirror,
  { slot }: Route,
  pools: ReadonlyMap<string, CompiledPool>,
  plane: Plane,
): CompiledMirror {
  const load = plane.mirrorLoads.get(slot) ?? { pending: 0 };
  plane.mirrorLoads.set(slot, load);
  const pool = poolNamed(mirror.pool, pools);
  return { ...mirror, pool, load, counters: plane.counters.route(slot) };
}

function poolNamed(name: string, pools: ReadonlyMap<string, CompiledPool>): CompiledPool {
  const pool = pools.get(name);
  invariant(pool !== undefined, 'pools of a snapshot are there');
  return pool;
}

function keyOf(by: SplitKey): RequestValue | null {
  return 'name' in by ? new RequestValue({ from: by.kind, name: by.name }) : null;
}

function templateAnswer(answer: FixedAnswer): TemplateAnswer | null {
  const body =
    answer.file === null ? partsOf(answer.body, answerVariables) : [{ text: answer.body }];
  const fields = Object.entries(answer.headers).map(
    ([name, value]) => [name, partsOf(value, answerVariables)] as const,
  );
  const isPlain =
    answer.body === literalOf(body) &&
    fields.every(([name, value]) => answer.headers[name] === literalOf(value));
  return isPlain ? null : { answer, body, fields };
}

/** The text of a template without variables, else null. */
function literalOf(parts: readonly TemplatePart[]): string | null {
  return isLiteral(parts) ? parts.map((part) => ('text' in part ? part.text : '')).join('') : null;
}

function compileRules(
  rules: HeaderRules | null,
  allowed: readonly VariableName[],
): CompiledRules | null {
  if (rules === null) return null;
  const drops = [...rules.remove, ...rules.set.map(({ name }) => name)].map(foldedName);
  const lines = [...rules.set, ...rules.add].map(({ name, value }) => ({
    prefix: `${name}: `,
    value: partsOf(value, allowed),
  }));
  if (!lines.every(({ value }) => isLiteral(value))) return { drops, lines, constant: null };
  const text = lines.map(({ prefix, value }) => `${prefix}${literalOf(value)}\r\n`).join('');
  return { drops, lines, constant: { drops, lines: ascii(text), host: null } };
}
