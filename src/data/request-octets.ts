import { type LogFact, type RequestFact, requestFacts } from '../model/log-form.ts';
import type { Head } from '../wire/http1/head.ts';
import type { HiddenQuery } from './hidden-query.ts';
import { plainBytes } from './json-bytes.ts';
import { fieldText } from './request-text.ts';

/** Longest part that a line shows of each: enough to recognise, short enough to bound a line. */
const METHOD_MAX = 32;
const HOST_MAX = 255;
const PATH_MAX = 2_048;
const QUERY_MAX = 2_048;
const HEADER_MAX = 1_024;

const HTTP_1_0 = plainBytes('HTTP/1.0');
const HTTP_1_1 = plainBytes('HTTP/1.1');

/** Octets of a fact. */
export interface Octets {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Whether a fact is known from the head alone. */
export function isRequestFact(fact: LogFact): fact is RequestFact {
  return (requestFacts as readonly string[]).includes(fact);
}

/**
 * What a line says of a request, secrets hidden; null where the request says nothing. Valid until the next call.
 * Cost: an object, and for headers a string.
 */
export function octetsOf(
  fact: LogFact,
  header: string,
  head: Head,
  hidden: HiddenQuery,
): Octets | null {
  switch (fact) {
    case 'method':
      return span(head.bytes, head.methodStart, head.methodEnd, METHOD_MAX);
    case 'host':
      return span(head.hostBytes, head.hostStart, head.hostEnd, HOST_MAX);
    case 'path':
      return span(head.pathBytes, head.pathStart, head.pathEnd, PATH_MAX);
    case 'query':
      return queryOf(head, hidden);
    case 'uri':
      return uriOf(head, hidden);
    case 'protocol':
      return whole(head.minor === 0 ? HTTP_1_0 : HTTP_1_1);
    case 'referer':
      return refererOf(head, hidden);
    case 'userAgent':
      return headerOf(head, 'user-agent');
    default:
      return headerOf(head, header);
  }
}

function whole(bytes: Uint8Array): Octets {
  return { bytes, start: 0, end: bytes.length };
}

function span(bytes: Uint8Array, start: number, end: number, most: number): Octets | null {
  return start === end ? null : { bytes, start, end: Math.min(end, start + most) };
}

function queryOf(head: Head, hidden: HiddenQuery): Octets | null {
  const start = Math.min(head.queryStart + 1, head.queryEnd);
  if (start === head.queryEnd) return null;
  return whole(hidden.shown(head.bytes, start, Math.min(head.queryEnd, start + QUERY_MAX)));
}

function uriOf(head: Head, hidden: HiddenQuery): Octets | null {
  const path = span(head.pathBytes, head.pathStart, head.pathEnd, PATH_MAX);
  const end = Math.min(head.queryEnd, head.queryStart + QUERY_MAX);
  if (path === null || head.queryStart === head.queryEnd) return path;
  const query = hidden.shown(head.bytes, head.queryStart, end);
  const bytes = new Uint8Array(path.end - path.start + query.length);
  bytes.set(path.bytes.subarray(path.start, path.end));
  bytes.set(query, path.end - path.start);
  return whole(bytes);
}

function headerOf(head: Head, name: string): Octets | null {
  const text = fieldText(head, name);
  return text === null ? null : whole(Buffer.from(text.slice(0, HEADER_MAX), 'latin1'));
}

/** A referrer is a URL with a query of its own, sometimes with a user's name and password; a fragment tells tokens. */
function refererOf(head: Head, hidden: HiddenQuery): Octets | null {
  const text = fieldText(head, 'referer');
  if (text === null) return null;
  const bare = text
    .slice(0, QUERY_MAX)
    .replace(/#.*$/, '')
    .replace(/^([a-z]+:\/\/)[^/?]*@/i, '$1');
  const bytes = Buffer.from(bare, 'latin1');
  const mark = bytes.indexOf(0x3f);
  if (mark < 0) return whole(bytes);
  const query = hidden.shown(bytes, mark, bytes.length);
  return whole(Buffer.concat([bytes.subarray(0, mark), query]));
}
