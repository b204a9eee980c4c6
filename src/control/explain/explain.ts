import { compileCidrs, ipKey, parseAddress } from '../../base/address.ts';
import { Clients, type GeographyOf } from '../../match/client.ts';
import { explainRoutes } from '../../match/explain-routes.ts';
import { RequestFacts } from '../../match/facts.ts';
import { forwardedClient } from '../../match/forwarded-client.ts';
import { textOf } from '../../match/value-text.ts';
import { type FailureCode, failureKind } from '../../model/failure.ts';
import type { Route, Snapshot } from '../../model/snapshot.ts';
import { Head } from '../../wire/http1/head.ts';
import { parseRequestHead } from '../../wire/http1/request-parser.ts';
import { hooksOf, outcomeOf } from './explain-outcome.ts';
import { explainDestinations, type PoolMeans } from './explain-pools.ts';
import type { ExplainedRequest, ExplainOutcome, ExplainRequest } from './explanation.ts';

/** What a question is answered from. */
export interface ExplainMeans extends PoolMeans {
  readonly snapshot: Snapshot;
  /** The databases that the snapshot asks; null where it asks none. */
  readonly geography: GeographyOf | null;
  /** Port that a listener really has (0 in the file is one that the system chose). */
  readonly portOf: (listener: string) => number | null;
}

const encoder = new TextEncoder();
/** Just below 1: no share is drawn but a whole one. */
const LAST_DRAW = 1 - 2 ** -40;

/**
 * Tells where a request would go and why, by the parser, matcher and policies of the data plane.
 * Changes nothing: no place is reserved, no cursor moves. Cost: compiles the routes; for people.
 */
export function explain(asked: ExplainRequest, means: ExplainMeans): ExplainOutcome {
  const { snapshot } = means;
  const atMs = means.wallClock();
  const target = targetOf(asked.url);
  if (target === null) {
    return refuse('explain', 'a URL such as http://example.com/path, or a path', asked.url);
  }
  const peer = asked.ip ?? '127.0.0.1';
  if (parseAddress(peer) === null) return refuse('explain', 'a numeric address', peer);
  const listener = listenerOf(asked, target.port, means);
  if (listener === null) {
    const names = snapshot.listeners.filter(({ protocol }) => protocol === 'http');
    const required = `an http listener (${names.map(({ name }) => name).join(', ')})`;
    return refuse('explain', required, asked.listener ?? 'none');
  }
  const head = new Head();
  const bytes = encoder.encode(headText(asked, target));
  const parsed = parseRequestHead(head, bytes, 0, bytes.length, {
    headBytesMax: snapshot.limits.headBytesMax,
    headFieldsMax: snapshot.limits.headFieldsMax,
  });
  if (parsed <= 0) {
    const code = head.failure ?? 'request-line-invalid';
    const request = { ...nothingKnown, method: asked.method, path: target.path, peer };
    return answer({ listener, request, refused: refusedBy(code), atMs });
  }
  const trusted = compileCidrs(snapshot.trustedPeers);
  const isPeerTrusted = trusted.contains(peer);
  const client = (isPeerTrusted ? forwardedClient(head, trusted) : null) ?? peer;
  const facts = new RequestFacts({
    clients: new Clients(means.geography),
    wallClock: means.wallClock,
    random: () => LAST_DRAW,
  });
  facts.take(head, client, isPeerTrusted);
  const { verdicts, taken } = explainRoutes(snapshot.routes, listener, facts);
  const request = requestOf(facts, peer, asked.protocol);
  const route = snapshot.routes[taken] ?? null;
  const refused = refusalOf(head, route);
  const goesOn = refused === null && route !== null;
  const destination = goesOn
    ? explainDestinations(route, head, ipKey(client), means)
    : { pools: [], does: [] };
  const hooks = goesOn ? hooksOf(snapshot, route) : [];
  return answer({
    atMs,
    listener,
    request,
    refused,
    routes: verdicts,
    route: route?.name ?? null,
    ...destination,
    hooks,
  });
}

function answer(
  part: Pick<Parts, 'atMs' | 'listener' | 'request' | 'refused'> & Partial<Parts>,
): ExplainOutcome {
  const told = { routes: [], route: null, pools: [], does: [], hooks: [], ...part };
  return { ok: true, explanation: { outcome: outcomeOf(told), ...told } };
}

type Parts = Omit<Extract<ExplainOutcome, { ok: true }>['explanation'], 'outcome'>;

function refuse(what: string, requirement: string, found: string): ExplainOutcome {
  const problem = `Cannot ${what} as ${requirement} is required: current value is ${found}`;
  return { ok: false, problem };
}

const nothingKnown: ExplainedRequest = {
  method: '',
  host: '',
  path: '',
  query: '',
  protocol: '',
  peer: '',
  isPeerTrusted: false,
  client: '',
  country: null,
  continent: null,
  asn: null,
};

function requestOf(facts: RequestFacts, peer: string, protocol: string): ExplainedRequest {
  const { head, client } = facts;
  const text = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : textOf(bytes, 0, bytes.length);
  return {
    method: textOf(head.bytes, head.methodStart, head.methodEnd),
    host: textOf(head.hostBytes, head.hostStart, head.hostEnd),
    path: facts.path,
    query: textOf(head.bytes, head.queryStart, head.queryEnd),
    protocol,
    peer,
    isPeerTrusted: facts.isPeerTrusted,
    client: client.address,
    country: text(client.country),
    continent: text(client.continent),
    asn: text(client.asn),
  };
}

function refusedBy(code: FailureCode): { status: number; reason: string } {
  const { status, says } = failureKind(code);
  return { status, reason: `${code}: ${says}` };
}

/** What ends a request before its route's pool. */
function refusalOf(head: Head, route: Route | null): { status: number; reason: string } | null {
  if (route === null) return refusedBy('no-route');
  if (head.hasEncodedSeparator && !route.allowEncodedSeparators) {
    return refusedBy('separator-encoded');
  }
  return null;
}

interface Target {
  /** Host with its port; null for a path. */
  readonly authority: string | null;
  readonly port: number | null;
  /** Path and query as they are sent. */
  readonly path: string;
}

/** Not by the platform's own URL reader, which would make a path canonical before we judge it. */
function targetOf(url: string): Target | null {
  if (/[\s\u0000-\u0020\u007f]/.test(url)) return null;
  if (url.startsWith('/') || url === '*') return { authority: null, port: null, path: url };
  const match = /^https?:\/\/([^/?#]+)([^#]*)/i.exec(url);
  if (match === null) return null;
  const [, authority = '', rest = ''] = match;
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return { authority, port: port === undefined ? null : Number(port), path };
}

function headText(asked: ExplainRequest, { authority, path }: Target): string {
  const hasHost = asked.headers.some((line) => /^host\s*:/i.test(line));
  const host = authority ?? (asked.protocol === 'http/1.1' ? 'localhost' : null);
  const lines = hasHost || host === null ? asked.headers : [`Host: ${host}`, ...asked.headers];
  const version = asked.protocol === 'http/1.0' ? 'HTTP/1.0' : 'HTTP/1.1';
  return [`${asked.method} ${path} ${version}`, ...lines, '', ''].join('\r\n');
}

function listenerOf(
  asked: ExplainRequest,
  port: number | null,
  { snapshot, portOf }: ExplainMeans,
): string | null {
  const http = snapshot.listeners.filter(({ protocol }) => protocol === 'http');
  if (asked.listener !== null) {
    return http.some(({ name }) => name === asked.listener) ? asked.listener : null;
  }
  const byPort = port === null ? undefined : http.find(({ name }) => portOf(name) === port);
  return (byPort ?? http[0])?.name ?? null;
}
