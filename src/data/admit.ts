import { ipKey } from '../base/address.ts';
import { forwardedClient } from '../match/forwarded-client.ts';
import { routeOf } from '../match/routes.ts';
import type { FailureCode } from '../model/failure.ts';
import { RouteColumn } from '../observe/columns.ts';
import { Framing, type Head, Method } from '../wire/http1/head.ts';
import { act, actLast } from './act.ts';
import type { Answer } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { Hooked } from './hooked.ts';
import type { Plane } from './plane.ts';
import { setPath } from './rewrite.ts';
import type { ListenerTable } from './table.ts';

/** What happens to a request whose head is whole: it goes to a pool, or it is answered here. */
export type Admission =
  | { readonly kind: 'pool' }
  | { readonly kind: 'failure'; readonly code: FailureCode }
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** Hooks are asked first; what they let go on goes to `admitToPool`. */
  | { readonly kind: 'hooks' };

/** Fills what the machine needs to know of a request; the head is valid only now. */
export function noteRequest(exchange: Exchange, head: Head): void {
  exchange.method = head.method;
  exchange.minor = head.minor;
  exchange.isIdempotent = isIdempotent(head);
  exchange.clientCloses = head.wantsClose;
  exchange.awaitsContinue = head.expectsContinue;
  exchange.isRequestComplete =
    head.framing === Framing.NONE || (head.framing === Framing.LENGTH && head.contentLength === 0);
  exchange.wantsUpgrade = head.hasUpgrade && exchange.isRequestComplete;
  if (exchange.wantsUpgrade) exchange.upgradeOffer = valueText(head);
}

function valueText(head: Head): string {
  const { bytes, upgradeStart, upgradeEnd } = head;
  return Buffer.from(bytes.subarray(upgradeStart, upgradeEnd)).toString('latin1').toLowerCase();
}

/** True when the server switches to a protocol that the client offered (RFC 9110 §7.8). */
export function isOffered(exchange: Exchange, response: Head): boolean {
  const offered = exchange.upgradeOffer.split(',').map((name) => name.trim());
  const chosen = valueText(response)
    .split(',')
    .map((name) => name.trim());
  return chosen.length > 0 && chosen.every((name) => name !== '' && offered.includes(name));
}

function isIdempotent(head: Head): boolean {
  switch (head.method) {
    case Method.GET:
    case Method.HEAD:
    case Method.PUT:
    case Method.DELETE:
    case Method.OPTIONS:
    case Method.TRACE:
      return true;
    default:
      return head.hasIdempotencyKey;
  }
}

const TO_POOL: Admission = { kind: 'pool' };
const TO_HOOKS: Admission = { kind: 'hooks' };

/**
 * Finds the route of a request and decides what happens to it; fills the exchange's route, pool and
 * what policies and logs need of the head, which is valid only now.
 */
export function admit(
  plane: Plane,
  listener: ListenerTable,
  exchange: Exchange,
  head: Head,
  peer: { readonly address: string; readonly addressHash: number; readonly isTrusted: boolean },
): Admission {
  exchange.clientAddress = peer.address;
  exchange.addressHash = peer.addressHash;
  if (peer.isTrusted) {
    const client = forwardedClient(head, listener.trusted);
    if (client !== null) {
      exchange.clientAddress = client;
      exchange.addressHash = ipKey(client);
    }
  }
  if (plane.hasAccessLog) {
    if (plane.logLayout === null) exchange.note.take(head);
    else plane.logLayout.note(exchange.note, head);
    exchange.requestNumber = plane.nextRequestNumber();
  }
  const { facts } = listener;
  if (facts !== null) facts.take(head, exchange.clientAddress, peer.isTrusted);
  const index = routeOf(listener.matcher, listener.index, head, facts);
  if (index < 0) return { kind: 'failure', code: 'no-route' };
  const route = listener.routes[index]!;
  exchange.route = route;
  plane.cells[route.counters + RouteColumn.STARTED]! += 1;
  if (head.hasEncodedSeparator && !route.route.allowEncodedSeparators) {
    return { kind: 'failure', code: 'separator-encoded' };
  }
  if (head.maxForwards === 0) return { kind: 'answer', answer: lastHop(head) };
  if (route.hooks !== null) {
    exchange.hooked = new Hooked(plane, exchange, route.hooks, head);
    if (route.hooks.hasRequest) return TO_HOOKS;
  }
  return admitToPool(plane, exchange, head, peer.isTrusted);
}

/** Does what the route of a request says, after its hooks; the head is valid only now. */
export function admitToPool(
  plane: Plane,
  exchange: Exchange,
  head: Head,
  isTrustedPeer: boolean,
): Admission {
  const route = exchange.route!;
  const hooked = exchange.hooked;
  if (hooked !== null && hooked.path !== null && !setPath(hooked.path, exchange, head)) {
    return { kind: 'failure', code: 'hook-failed' };
  }
  exchange.pool = route.pool;
  if (route.actions !== null) {
    const end = act(plane, exchange, route.actions, head);
    if (typeof end === 'string') return { kind: 'failure', code: end };
    if (end !== null) return { kind: 'answer', answer: end };
  }
  if (hooked !== null && hooked.pool !== null) exchange.pool = hooked.pool;
  if (exchange.pool === null) return { kind: 'answer', answer: route.fixed! };
  const { key, sticky } = exchange.pool;
  if (sticky !== null) sticky.note(plane, exchange, head, isTrustedPeer);
  exchange.keyHash = key === null ? exchange.addressHash : key.hashOr(head, exchange.addressHash);
  if (route.actions !== null && !actLast(plane, exchange, route.actions, head)) {
    return { kind: 'failure', code: 'rewrite-invalid' };
  }
  if (plane.isDraining && exchange.minor === 0) exchange.clientCloses = true;
  return TO_POOL;
}

/** TRACE or OPTIONS that may go no further is answered by who got it last (RFC 9110 §7.6.2). */
function lastHop(head: Head): Answer {
  return {
    status: head.method === Method.TRACE ? 405 : 200,
    reason: 'max-forwards-reached',
    body: '',
    contentType: 'text/plain; charset=utf-8',
    fields: { Allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
  };
}
