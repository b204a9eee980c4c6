import { PathReplacement } from '../match/pattern.ts';
import type { Rewrite } from '../model/actions.ts';
import { limits } from '../model/limits.ts';
import { answerVariables, type TemplatePart } from '../model/template.ts';
import type { Head } from '../wire/http1/head.ts';
import { ascii, IN_PATH, targetClass } from '../wire/http1/tokens.ts';
import { PathCanonicalizer } from '../wire/path.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';
import { pathText, render } from './request-text.ts';
import { partsOf } from './template-parts.ts';

/** How a route changes host and path, compiled. */
export interface PathRewrite {
  readonly host: readonly TemplatePart[] | null;
  readonly path: readonly TemplatePart[] | null;
  readonly stripPrefix: string;
  readonly addPrefix: string;
  readonly pattern: PathReplacement | null;
  readonly canonicalizer: PathCanonicalizer;
  /** Room for the canonical form of a path. */
  readonly scratch: Uint8Array;
}

/** Compiles a rewrite. */
export function compileRewrite(rewrite: Rewrite): PathRewrite {
  const { host, path, stripPrefix, addPrefix, pattern } = rewrite;
  return {
    host: host === null ? null : partsOf(host, ['host', 'pool', 'route']),
    path: path === null ? null : partsOf(path, answerVariables),
    stripPrefix: stripPrefix ?? '',
    addPrefix: addPrefix ?? '',
    pattern: pattern === null ? null : new PathReplacement(pattern),
    canonicalizer: new PathCanonicalizer(),
    scratch: new Uint8Array(limits.targetBytes),
  };
}

/** The path that a rewrite makes of another. */
function rewrittenPath(
  rewrite: PathRewrite,
  before: string,
  plane: Plane,
  exchange: Exchange,
  head: Head,
): string {
  if (rewrite.pattern !== null) return rewrite.pattern.apply(before);
  if (rewrite.path !== null) return render(rewrite.path, plane, exchange, head);
  const { stripPrefix, addPrefix } = rewrite;
  let path = before;
  if (path === stripPrefix) path = addPrefix === '' ? '/' : '';
  else if (stripPrefix !== '' && path.startsWith(`${stripPrefix}/`)) {
    path = path.slice(stripPrefix.length);
  }
  return addPrefix + path;
}

/**
 * Sets the path that goes to the server in the head. False when it would be no canonical path: dot
 * segments or separators that only the rewrite lets appear would lead where no rule was asked.
 */
export function rewritePath(
  rewrite: PathRewrite,
  plane: Plane,
  exchange: Exchange,
  head: Head,
): boolean {
  const before = pathText(head);
  if (before === '*') return true;
  const after = rewrittenPath(rewrite, before, plane, exchange, head);
  return after === before || putPath(rewrite, after, exchange, head);
}

/** Sets the path that a hook chose. False when it is no canonical path. Cost: room for a path. */
export function setPath(path: string, exchange: Exchange, head: Head): boolean {
  const scratch = new Uint8Array(limits.targetBytes);
  return putPath({ canonicalizer: new PathCanonicalizer(), scratch }, path, exchange, head);
}

function putPath(
  { canonicalizer, scratch }: Pick<PathRewrite, 'canonicalizer' | 'scratch'>,
  after: string,
  exchange: Exchange,
  head: Head,
): boolean {
  const before = pathText(head);
  const bytes = ascii(after);
  const mayHaveSeparator = exchange.route!.route.allowEncodedSeparators;
  const begins = after.startsWith('/') && (!after.startsWith('//') || before.startsWith('//'));
  const queryBytes = head.queryEnd - head.queryStart;
  if (!begins || bytes.length + queryBytes > limits.targetBytes) return false;
  if (!bytes.every((byte) => (targetClass[byte]! & IN_PATH) !== 0)) return false;
  const end = canonicalizer.write(bytes, 0, bytes.length, scratch, 0);
  if (end !== bytes.length || !bytes.every((byte, at) => byte === scratch[at])) return false;
  if (canonicalizer.hasEncodedSeparator && !mayHaveSeparator) return false;
  head.pathBytes = bytes;
  head.pathStart = 0;
  head.pathEnd = bytes.length;
  head.isTargetVerbatim = false;
  return true;
}
