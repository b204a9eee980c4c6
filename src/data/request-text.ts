import type { TemplatePart } from '../model/template.ts';
import { FieldId, type Head } from '../wire/http1/head.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/** Stands for the server's address in what is rendered before a server is chosen; no head has it. */
export const SERVER_MARK = '\u0000';

/** The octets of a span as characters. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/**
 * All values of a field by its name in lower case, joined as a list (RFC 9110 §5.3); null when there is
 * none. Cost: one string per value.
 */
export function fieldText(head: Head, name: string): string | null {
  const { fields, bytes } = head;
  let joined: string | null = null;
  for (let index = 0; index < head.fieldCount; index++) {
    const start = fields[index * 4]!;
    const end = fields[index * 4 + 1]!;
    if (end - start !== name.length || !isNameText(bytes, start, name)) continue;
    const value = latin1(bytes, fields[index * 4 + 2]!, fields[index * 4 + 3]!);
    joined = joined === null ? value : `${joined}, ${value}`;
  }
  return joined;
}

function isNameText(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    let byte = bytes[start + i]!;
    if (byte >= 0x41 && byte <= 0x5a) byte += 0x20;
    if (byte !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** The canonical path, `*` for OPTIONS *. */
export function pathText(head: Head): string {
  return latin1(head.pathBytes, head.pathStart, head.pathEnd);
}

/**
 * A template with the facts of a request filled in; `escapeFact` is applied to facts only. The head is valid
 * only until the next one is parsed. Characters are octets. Cost: strings; for routes that ask for it.
 */
export function render(
  parts: readonly TemplatePart[],
  plane: Plane,
  exchange: Exchange,
  head: Head,
  escapeFact: (fact: string) => string = asIs,
): string {
  let text = '';
  for (const part of parts) {
    text += 'text' in part ? part.text : escapeFact(factOf(part, plane, exchange, head));
  }
  return text;
}

function asIs(fact: string): string {
  return fact;
}

function factOf(
  part: Extract<TemplatePart, { variable: unknown }>,
  plane: Plane,
  exchange: Exchange,
  head: Head,
): string {
  switch (part.variable) {
    case 'client':
      return exchange.clientAddress;
    case 'header':
      // The parser lets no such octet through; a line break here would be a line of its own.
      return (fieldText(head, part.field) ?? '').replace(/[\x00-\x08\x0a-\x1f\x7f]/g, ' ');
    case 'host':
      return latin1(head.hostBytes, head.hostStart, head.hostEnd);
    case 'method':
      return latin1(head.bytes, head.methodStart, head.methodEnd);
    case 'path':
      return pathText(head);
    case 'pool':
      return exchange.pool?.pool.name ?? '';
    case 'query':
      return latin1(head.bytes, Math.min(head.queryStart + 1, head.queryEnd), head.queryEnd);
    case 'reason':
    case 'status':
      return '';
    case 'requestId':
      return requestIdOf(plane, exchange);
    case 'route':
      return exchange.route?.route.name ?? '';
    case 'scheme':
      return schemeOf(exchange, head);
    case 'server':
      return SERVER_MARK;
    case 'uri':
      return pathText(head) + latin1(head.bytes, head.queryStart, head.queryEnd);
  }
}

/** The request's id, given now if it has none. */
export function requestIdOf(plane: Plane, exchange: Exchange): string {
  if (exchange.requestNumber < 0) exchange.requestNumber = plane.nextRequestNumber();
  return plane.requestIdText(exchange.requestNumber);
}

/** As the client spoke to us, or to the trusted peer before us. */
function schemeOf(exchange: Exchange, head: Head): string {
  if ((head.seen & (1 << FieldId.X_FORWARDED_PROTO)) === 0) return 'http';
  const peer = exchange.listener!.peers.of(exchange.client!.address);
  const said = peer.isTrusted ? fieldText(head, 'x-forwarded-proto')?.toLowerCase() : undefined;
  return said !== undefined && /^https\b/.test(said) ? 'https' : 'http';
}
