import type { BufferPool } from '../platform/driver.ts';
import { editedRequestBytes, editRequestHead } from '../wire/http1/edit-head.ts';
import type { Head } from '../wire/http1/head.ts';
import {
  type RequestForwarding,
  requestHeadBytesMax,
  writeRequestHead,
} from '../wire/http1/write-request.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/** Where a head stands: its buffer, what may be overwritten before it, where its body begins. */
export interface HeadPlace {
  id: number;
  floor: number;
  bodyAt: number;
}

/**
 * Rewrites a request's head and lays it into the exchange, directly before the body bytes that came with
 * it where there is room, so that both leave in one send. `id` -1: the head stands in a copy;
 * `[floor, bodyAt)` of buffer `id` may be overwritten.
 */
export function writeRequest(
  plane: Plane,
  exchange: Exchange,
  head: Head,
  forwarding: RequestForwarding,
  place: HeadPlace,
): void {
  const pool = plane.buffers;
  forwarding.edits = exchange.plan === null ? null : exchange.plan.requestEdits;
  if (exchange.hooked !== null) {
    forwarding.edits = exchange.hooked.requestEdits.over(forwarding.edits);
  }
  if (plane.tracing !== null) {
    const { edits, isTrustedPeer } = forwarding;
    forwarding.edits = plane.tracing.begin(exchange, head, edits, isTrustedPeer);
  }
  forwarding.keepsUpgrade = exchange.wantsUpgrade;
  forwarding.defaultHost = exchange.pool!.defaultHost;
  if (place.id >= 0 && edit(exchange, head, forwarding, pool, place)) return;
  const isWide = requestHeadBytesMax(head, forwarding) > plane.scratchBytes;
  const out = isWide ? plane.wideScratch : pool.bytes;
  const from = isWide ? 0 : plane.scratchAt;
  const to = writeRequestHead(out, from, head, forwarding);
  const length = to - from;
  const at = place.bodyAt - length;
  if (place.id < 0 || at < place.floor) {
    copyInto(exchange, pool, out, from, to);
    return;
  }
  if (isWide) pool.bytes.set(out.subarray(from, to), at);
  else out.copyWithin(at, from, to);
  pool.retain(place.id);
  exchange.span(place.id, at, length);
}

/** The short way: the head is edited where it stands. False when it has to be written anew. */
function edit(
  exchange: Exchange,
  head: Head,
  forwarding: RequestForwarding,
  pool: BufferPool,
  place: HeadPlace,
): boolean {
  const length = editedRequestBytes(head, forwarding);
  const at = place.bodyAt - length;
  if (length < 0 || at < place.floor || at > head.methodStart) return false;
  editRequestHead(head, forwarding, at);
  pool.retain(place.id);
  exchange.span(place.id, at, length);
  return true;
}

/** A head that does not fit before its body goes into buffers of its own. */
function copyInto(
  exchange: Exchange,
  pool: BufferPool,
  out: Uint8Array,
  from: number,
  to: number,
): void {
  const roomBytes = pool.sizeBytes + pool.headroomBytes;
  for (let at = from; at < to; at += roomBytes) {
    const id = pool.acquire();
    if (id < 0) {
      exchange.isBroken = true;
      return;
    }
    const length = Math.min(roomBytes, to - at);
    const start = pool.startOf(id);
    if (out === pool.bytes) out.copyWithin(start, at, at + length);
    else pool.bytes.set(out.subarray(at, at + length), start);
    exchange.span(id, start, length);
  }
}
