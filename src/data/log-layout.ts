import type { LogForm, LogPart } from '../model/log-form.ts';
import type { Head } from '../wire/http1/head.ts';
import type { Exchange } from './exchange.ts';
import { HiddenQuery } from './hidden-query.ts';
import { plainBytes, putPlain } from './json-bytes.ts';
import type { LogClock } from './log-clock.ts';
import { factBytesMax, putFact } from './log-facts.ts';
import type { LogNote } from './log-note.ts';
import { escapedBytesMax, putEscapedOctets } from './log-octets.ts';
import type { Plane } from './plane.ts';
import { isRequestFact, type Octets, octetsOf } from './request-octets.ts';

/** A piece of a line: bytes as they are, the fact of the request of that number, or a fact of the exchange. */
type Piece =
  | { readonly bytes: Uint8Array }
  | { readonly noted: number }
  | { readonly fact: Parameters<typeof putFact>[3] };

const NULL = plainBytes('null');
const DASH = plainBytes('-');
const QUOTE = plainBytes('"');

/** How a configuration wants its access-log lines, compiled: who gets one, and what stands in it. */
export class LogLayout {
  /** The usual line; only who gets one differs. */
  readonly isUsual: boolean;
  readonly #form: LogForm;
  readonly #isJson: boolean;
  readonly #noted: readonly Exclude<LogPart, { text: string }>[];
  readonly #pieces: readonly Piece[];
  readonly #hidden: HiddenQuery;
  /** Bytes of a line besides what the note holds. */
  readonly #bytesMax: number;

  constructor(form: LogForm) {
    this.#form = form;
    this.isUsual = form.style === 'default';
    this.#isJson = form.style === 'json';
    this.#hidden = new HiddenQuery(form.hidden);
    const noted: Exclude<LogPart, { text: string }>[] = [];
    const parts = this.#isJson ? jsonParts(form.parts) : [...form.parts, { text: '\n' }];
    this.#pieces = parts.map((part): Piece => {
      if ('text' in part) return { bytes: plainBytes(part.text) };
      if (isRequestFact(part.fact)) return { noted: noted.push(part) - 1 };
      return { fact: part.fact };
    });
    this.#noted = noted;
    this.#bytesMax = this.#pieces.reduce(
      (sum, piece) => sum + ('bytes' in piece ? piece.bytes.length : factBytesMax),
      0,
    );
  }

  /** Whether an ended exchange gets a line. */
  wants(plane: Plane, exchange: Exchange): boolean {
    const { keepsErrors, slowMs, share } = this.#form;
    if (share >= 1) return true;
    if (keepsErrors && hasFailed(exchange)) return true;
    if (slowMs > 0 && exchange.totalUs(plane.driver) >= slowMs * 1000) return true;
    return share > 0 && plane.random() < share;
  }

  /** Notes what lines will say of the request, behind what the usual line says; the head is valid only now. */
  note(note: LogNote, head: Head): void {
    note.take(head);
    note.layout = this;
    note.ends = roomFor(note.ends, this.#noted.length);
    let to = note.length;
    for (const [index, { fact, header }] of this.#noted.entries()) {
      const octets = octetsOf(fact, header, head, this.#hidden);
      to = this.#append(note, to, octets);
      note.ends[index] = octets === null ? ~to : to;
    }
    note.totalLength = to;
  }

  /** The same where there is no request to speak of. */
  noteNothing(note: LogNote): void {
    const count = this.#noted.length;
    note.layout = this;
    note.ends = roomFor(note.ends, count).fill(~note.length, 0, count);
    note.totalLength = note.length;
  }

  /** Upper bound of the bytes that `write` writes. */
  bytesMax(note: LogNote): number {
    return this.#bytesMax + note.totalLength;
  }

  /** Writes the line with its LF; returns the end. */
  write(out: Uint8Array, at: number, exchange: Exchange, plane: Plane, clock: LogClock): number {
    let to = at;
    for (const piece of this.#pieces) {
      if ('bytes' in piece) to = putPlain(out, to, piece.bytes);
      else if ('noted' in piece) to = this.#putNoted(out, to, exchange.note, piece.noted);
      else to = putFact(out, to, exchange, piece.fact, this.#isJson, plane, clock);
    }
    return to;
  }

  #append(note: LogNote, at: number, octets: Octets | null): number {
    if (octets === null) return at;
    const { bytes, start, end } = octets;
    const room = at + (end - start) * escapedBytesMax;
    if (room > note.bytes.length) {
      const wider = new Uint8Array(room * 2);
      wider.set(note.bytes.subarray(0, at));
      note.bytes = wider;
    }
    return putEscapedOctets(note.bytes, at, bytes, start, end, this.#isJson);
  }

  #putNoted(out: Uint8Array, at: number, note: LogNote, index: number): number {
    const ends = note.ends!;
    const end = ends[index]!;
    if (end < 0) return putPlain(out, at, this.#isJson ? NULL : DASH);
    const before = index === 0 ? note.length : ends[index - 1]!;
    let to = this.#isJson ? putPlain(out, at, QUOTE) : at;
    for (let i = before < 0 ? ~before : before; i < end; i++) out[to++] = note.bytes[i]!;
    if (this.#isJson) to = putPlain(out, to, QUOTE);
    return to;
  }
}

/** Answers of 500 and above, and those that were not completed. */
function hasFailed({ status, failure, isAnsweredHere }: Exchange): boolean {
  return status === 0 || status >= 500 || (failure !== null && !isAnsweredHere);
}

/** `{"time":`, the time, `,"status":`, the status, … */
function jsonParts(facts: LogForm['parts']): LogPart[] {
  const parts = facts.flatMap((part, index): LogPart[] => {
    if ('text' in part) return [];
    const name = part.fact === 'header' ? `header.${part.header}` : part.fact;
    return [{ text: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:` }, part];
  });
  return [...parts, { text: '}\n' }];
}

function roomFor(ends: Int32Array | null, count: number): Int32Array {
  return ends !== null && ends.length >= count ? ends : new Int32Array(count);
}
