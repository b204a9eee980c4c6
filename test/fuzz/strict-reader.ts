/** How a message said where its body ends. */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'close';

/** The head of a message. */
export interface StrictHead {
  readonly startLine: string;
  /** Names in lower case, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly framing: BodyFraming;
}

/** One message as the strict reader understood it. */
export interface StrictMessage extends StrictHead {
  /** Content without framing, as far as it came. */
  readonly body: string;
  readonly isWhole: boolean;
}

/** What a response may not say of itself: whether its request was HEAD. */
export interface StrictReaderOptions {
  readonly kind: 'request' | 'response';
  /**
   * Has a message with this head no body whatever its fields say? (answers to HEAD) `rest`: what follows the head;
   * `index`: how many final messages came before. Null: that cannot be told yet.
   */
  readonly isBodyless: (head: StrictHead, rest: string, index: number) => boolean | null;
  /** Do raw bytes follow this whole message? (101) */
  readonly isLast: (message: StrictMessage) => boolean;
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([\x21-\x7e]+) HTTP\/1\.1$/;
const STATUS_LINE = /^HTTP\/1\.1 ([1-5][0-9][0-9]) [\t\x20-\x7e\x80-\xff]*$/;
const FIELD_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;
const LENGTH = /^(?:0|[1-9][0-9]{0,15})$/;
const CHUNK_LINE = /^(?:0|[1-9a-fA-F][0-9a-fA-F]{0,7})$/;

/**
 * Reads HTTP/1.1 as the strictest peer would, from RFC 9112 alone and sharing nothing with the product: what it
 * does not take, no peer is sure to take. Throws at the first fault. Cost: reads each message anew until it is whole.
 */
export class StrictReader {
  /** Whole messages, in order. */
  readonly messages: StrictMessage[] = [];
  /** The message that is not whole yet; null when its head is not whole either. */
  partial: StrictMessage | null = null;
  /** Bytes behind the last message are of another protocol. */
  isRaw = false;
  #at = 0;
  #finals = 0;
  readonly #options: StrictReaderOptions;

  constructor(options: StrictReaderOptions) {
    this.#options = options;
  }

  /** Offset behind the last whole message. */
  get at(): number {
    return this.#at;
  }

  /** `text`: all that was sent so far. `hasEnded`: nothing will follow, in good order. */
  read(text: string, hasEnded = false): void {
    this.partial = null;
    const last = this.messages.at(-1);
    // what its peer has answered since may have ended HTTP here
    if (last !== undefined) this.isRaw = this.#options.isLast(last);
    while (!this.isRaw && this.#at < text.length) {
      const next = this.#message(text, hasEnded);
      if (next < 0) return;
      this.#at = next;
      this.isRaw = this.#options.isLast(this.messages.at(-1) as StrictMessage);
    }
  }

  #message(text: string, hasEnded: boolean): number {
    const headEnd = text.indexOf('\r\n\r\n', this.#at);
    const headText = text.slice(this.#at, headEnd < 0 ? undefined : headEnd);
    // a head that is not whole must still be the beginning of a valid one
    const lines = headText.split('\r\n');
    if (headEnd < 0) lines.pop();
    const [startLine = '', ...fieldLines] = lines;
    if (lines.length > 0) this.#checkStart(startLine);
    const fields = fieldLines.map(fieldOf);
    if (headEnd < 0) return -1;
    const framing = this.#framingOf(startLine, fields);
    const head = { startLine, fields, framing };
    const bodyAt = headEnd + 4;
    const rest = text.slice(bodyAt, bodyAt + 16);
    const isBodyless = this.#options.isBodyless(head, rest, this.#finals);
    if (isBodyless === null) return -1;
    const used = isBodyless ? 'none' : framing;
    const { body, end } = readBody(text, bodyAt, used, fields, hasEnded);
    const message = { ...head, framing: used, body, isWhole: end >= 0 };
    if (end < 0) this.partial = message;
    else {
      this.messages.push(message);
      if (!/^HTTP\/1\.1 1/.test(startLine)) this.#finals++;
    }
    return end;
  }

  #checkStart(line: string): void {
    const pattern = this.#options.kind === 'request' ? REQUEST_LINE : STATUS_LINE;
    const match = pattern.exec(line);
    if (match === null) throw new Error(`start line ${JSON.stringify(line)}`);
    const target = match[2];
    if (target === undefined || match[1] === 'CONNECT') return;
    if (!target.startsWith('/') && !(target === '*' && match[1] === 'OPTIONS')) {
      throw new Error(`target ${JSON.stringify(target)}`);
    }
    if (target.includes('#')) throw new Error(`fragment in ${JSON.stringify(target)}`);
  }

  #framingOf(startLine: string, fields: StrictMessage['fields']): BodyFraming {
    const lengths = valuesOf(fields, 'content-length');
    const codings = valuesOf(fields, 'transfer-encoding');
    if (lengths.length + codings.length > 1) throw new Error('more than one framing');
    if (lengths[0] !== undefined && !LENGTH.test(lengths[0]))
      throw new Error(`length ${lengths[0]}`);
    if (codings[0] !== undefined && codings[0] !== 'chunked')
      throw new Error(`coding ${codings[0]}`);
    if (this.#options.kind === 'request') {
      if (valuesOf(fields, 'host').length !== 1) throw new Error('not one Host');
      if (codings.length > 0) return 'chunked';
      return lengths.length > 0 ? 'length' : 'none';
    }
    const status = Number(startLine.slice(9, 12));
    if (status < 200 || status === 204) {
      if (lengths.length + codings.length > 0) throw new Error(`framing with ${status}`);
      return 'none';
    }
    if (status === 304) return 'none';
    if (codings.length > 0) return 'chunked';
    return lengths.length > 0 ? 'length' : 'close';
  }
}

/** All values of a field. */
export function valuesOf(fields: StrictMessage['fields'], name: string): string[] {
  return fields.filter(([known]) => known === name).map(([, value]) => value);
}

function fieldOf(line: string): readonly [string, string] {
  const match = FIELD_LINE.exec(line);
  if (match === null) throw new Error(`field line ${JSON.stringify(line)}`);
  return [(match[1] as string).toLowerCase(), match[2] as string];
}

/** `end` -1: not whole. */
function readBody(
  text: string,
  from: number,
  framing: BodyFraming,
  fields: StrictMessage['fields'],
  hasEnded: boolean,
): { readonly body: string; readonly end: number } {
  if (framing === 'none') return { body: '', end: from };
  if (framing === 'close') return { body: text.slice(from), end: hasEnded ? text.length : -1 };
  if (framing === 'chunked') return readChunks(text, from);
  const end = from + Number(valuesOf(fields, 'content-length')[0]);
  return { body: text.slice(from, end), end: end <= text.length ? end : -1 };
}

/** Chunk lines without extensions, no trailer section: what a re-framing sender writes. */
function readChunks(text: string, from: number): { readonly body: string; readonly end: number } {
  const parts: string[] = [];
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const line = text.slice(at, lineEnd < 0 ? text.length : lineEnd);
    const isCut = lineEnd < 0 && /^[0-9a-fA-F]{0,8}\r?$/.test(line);
    if (isCut) return { body: parts.join(''), end: -1 };
    if (lineEnd < 0 || !CHUNK_LINE.test(line))
      throw new Error(`chunk line ${JSON.stringify(line.slice(0, 40))}`);
    const size = Number.parseInt(line, 16);
    const dataEnd = lineEnd + 2 + size;
    parts.push(text.slice(lineEnd + 2, dataEnd));
    const closing = text.slice(dataEnd, dataEnd + 2);
    if (!'\r\n'.startsWith(closing))
      throw new Error(`chunk of ${size} not closed: ${JSON.stringify(closing)}`);
    if (closing.length < 2) return { body: parts.join(''), end: -1 };
    at = dataEnd + 2;
    if (size === 0) return { body: parts.join(''), end: at };
  }
}
