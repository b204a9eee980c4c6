import {
  editedRequestBytes,
  editRequestHead,
  editResponseHead,
} from '../../src/wire/http1/edit-head.ts';
import { Framing } from '../../src/wire/http1/head.ts';
import { HeadScanner } from '../../src/wire/http1/head-scanner.ts';
import { parseRequestHead } from '../../src/wire/http1/request-parser.ts';
import { parseResponseHead } from '../../src/wire/http1/response-parser.ts';
import {
  RequestForwarding,
  requestHeadBytesMax,
  writeRequestHead,
} from '../../src/wire/http1/write-request.ts';
import {
  ResponseForwarding,
  responseHeadBytesMax,
  writeResponseHead,
} from '../../src/wire/http1/write-response.ts';
import { Head, Method, octets, testLimits, textOf } from './vector.ts';

/** What we write may exceed what we accept by our own lines: the second parse allows for them. */
const roomyLimits = { headBytesMax: 65_536, headFieldsMax: 120 } as const;
const out = new Uint8Array(131_072);
const first = new Head();
const second = new Head();
const edited = new Head();
const untrusted = new RequestForwarding({
  clientAddress: '192.0.2.1',
  isTrustedPeer: false,
  scheme: 'http',
  viaName: 'evenkeel',
});
const trusted = new RequestForwarding({
  clientAddress: '2001:db8::1',
  isTrustedPeer: true,
  scheme: 'https',
  viaName: 'evenkeel',
});
for (const forwarding of [untrusted, trusted]) forwarding.defaultHost = octets('10.0.0.1:80');

/** A statement that must hold for any octets; throws with the octets in the message. */
function must(holds: boolean, rule: string, text: string): void {
  if (!holds) throw new Error(`${rule}: ${JSON.stringify(text.slice(0, 2_000))}`);
}

/** Method, target, host, framing and the fields that pass, as text. */
function requestMeaning(head: Head): string {
  const { bytes } = head;
  const host = textOf(head.authorityBytes, head.authorityStart, head.authorityEnd);
  return JSON.stringify([
    textOf(bytes, head.methodStart, head.methodEnd),
    textOf(head.pathBytes, head.pathStart, head.pathEnd),
    textOf(bytes, head.queryStart, head.queryEnd),
    host === '' ? '10.0.0.1:80' : host,
    head.framing,
    head.contentLength,
    head.expectsContinue,
    ordinaryFields(head),
  ]);
}

function ordinaryFields(head: Head): string[] {
  const lines: string[] = [];
  for (let i = 0; i < head.fieldCount; i++) {
    const id = head.ids[i]!;
    if (id !== 0 && id !== 20 && id !== 21) continue;
    const [nameStart, nameEnd, valueStart, valueEnd] = head.fields.subarray(i * 4, i * 4 + 4);
    lines.push(
      `${textOf(head.bytes, nameStart!, nameEnd!)}:${textOf(head.bytes, valueStart!, valueEnd!)}`,
    );
  }
  return lines;
}

/**
 * Lines without regard to order, case of names that we write ourselves, and white space around
 * values.
 */
function linesOf(text: string): string {
  const lines = text.split('\r\n').map((line) => {
    const match = /^(content-length|transfer-encoding|host):[ \t]*(.*?)[ \t]*$/i.exec(line);
    return match === null ? line : `${match[1]}: ${match[2]}`.toLowerCase();
  });
  return lines.sort().join('\n');
}

/** Where room lies before the head, as in a data buffer. */
const EDIT_AT = 4_096;

/** Editing in place comes to the lines that writing anew comes to. */
function checkRequestEdit(text: string, written: string, forwarding: RequestForwarding): void {
  const room = new Uint8Array(EDIT_AT + text.length + 8);
  room.set(octets(text), EDIT_AT);
  room.fill(0x21, EDIT_AT + text.length);
  const length = parseRequestHead(edited, room, EDIT_AT, EDIT_AT + text.length, testLimits);
  const size = editedRequestBytes(edited, forwarding);
  const bodyAt = EDIT_AT + length;
  if (size < 0 || bodyAt - size > edited.methodStart || bodyAt < size) return;
  const end = editRequestHead(edited, forwarding, bodyAt - size);
  must(end === bodyAt, 'the edited head ends at its body', text);
  must(linesOf(textOf(room, bodyAt - size, end)) === linesOf(written), 'edited as written', text);
}

function checkResponseEdit(text: string, written: string, forwarding: ResponseForwarding): void {
  const room = octets(text);
  const length = parseResponseHead(edited, room, 0, room.length, testLimits, Method.GET);
  const start = editResponseHead(edited, forwarding);
  if (start < 0) return;
  must(linesOf(textOf(room, start, length)) === linesOf(written), 'edited as written', text);
}

function scannerAgrees(text: string, length: number, isResponse: boolean): boolean {
  const bytes = octets(text);
  const head = isResponse ? second : first;
  const scanner = new HeadScanner(testLimits, isResponse);
  const middle = bytes.length >> 1;
  let end = scanner.push(bytes, 0, middle);
  if (end === 0) end = scanner.push(bytes, middle, bytes.length);
  if (length > 0) return end === length;
  if (length === 0) return end === 0;
  // a refusal of the parser is the scanner's too, unless it is about what a whole head means
  return end > 0 || (end < 0 && scanner.failure === head.failure);
}

/**
 * The invariants of requests: nothing throws; scanner and parser agree; what is taken and written
 * parses again,
 * whole, to the same meaning, and writing that again gives one head with one framing.
 * Returns whether the request was taken.
 */
export function checkRequest(text: string): boolean {
  const bytes = octets(text);
  const length = parseRequestHead(first, bytes, 0, bytes.length, testLimits);
  must(scannerAgrees(text, length, false), 'scanner and parser agree', text);
  if (length <= 0) return false;
  for (const forwarding of [untrusted, trusted]) {
    forwarding.keepsUpgrade = first.hasUpgrade;
    const end = writeRequestHead(out, 0, first, forwarding);
    must(end <= requestHeadBytesMax(first, forwarding), 'the bound holds', text);
    const written = textOf(out, 0, end);
    const meaning = requestMeaning(first);
    const again = parseRequestHead(second, octets(written), 0, end, roomyLimits);
    must(again === end, `what is written is taken whole (${second.failure})`, text);
    must(requestMeaning(second) === meaning, 'the meaning is kept', text);
    must(second.hasUpgrade === first.hasUpgrade, 'an upgrade is kept', text);
    checkRequestEdit(text.slice(0, length), written, forwarding);
    const framings = written.match(/\r\n(content-length|transfer-encoding):/gi) ?? [];
    must(framings.length <= 1, 'one framing', text);
    must(first.framing === Framing.NONE || framings.length === 1, 'a body is framed', text);
  }
  return true;
}

/** The same for responses to GET. */
export function checkResponse(text: string): boolean {
  const bytes = octets(text);
  const length = parseResponseHead(second, bytes, 0, bytes.length, testLimits, Method.GET);
  must(scannerAgrees(text, length, true), 'scanner and parser agree', text);
  if (length <= 0) return false;
  const forwarding = new ResponseForwarding();
  forwarding.framing = second.framing;
  forwarding.contentLength = second.contentLength;
  forwarding.closes = second.framing === Framing.CLOSE;
  forwarding.dateLine = octets('Date: Sat, 21 Nov 2026 00:00:00 GMT\r\n');
  const { status, framing, contentLength } = second;
  const end = writeResponseHead(out, 0, second, forwarding);
  must(end <= responseHeadBytesMax(second, forwarding), 'the bound holds', text);
  const fields = JSON.stringify(ordinaryFields(second));
  const written = textOf(out, 0, end);
  checkResponseEdit(text, written, forwarding);
  const again = parseResponseHead(second, octets(written), 0, end, roomyLimits, Method.GET);
  must(again === end, `what is written is taken whole (${second.failure})`, text);
  must(second.status === status && second.framing === framing, 'status and framing', text);
  must(second.contentLength === contentLength, 'length', text);
  must(JSON.stringify(ordinaryFields(second)) === fields, 'fields', text);
  must(status < 200 || second.hasDate, 'a date', text);
  return true;
}
