/** One complete or cut response as it came over the link. */
export interface Response {
  readonly status: number;
  readonly startLine: string;
  /** Names in lower case, in order of arrival. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** The framing said that the body ended, and it did. */
  readonly isComplete: boolean;
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Heads of 1xx answers that came before. */
  readonly interim: readonly InterimResponse[];
}

/** One 1xx answer. */
export interface InterimResponse {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
}

/** Value of the first field of that (lower-case) name, or null. */
export function field(
  message: { readonly fields: readonly (readonly [string, string])[] },
  name: string,
): string | null {
  return message.fields.find(([key]) => key === name)?.[1] ?? null;
}

/** Values of all fields of that (lower-case) name. */
export function fieldsNamed(
  message: { readonly fields: readonly (readonly [string, string])[] },
  name: string,
): string[] {
  return message.fields.filter(([key]) => key === name).map(([, value]) => value);
}

type Partial = { taken: number; response: Response } | null;

/**
 * Takes responses out of a byte stream, strictly: exact CRLF, one framing, valid chunk lines.
 * Errors: throws on anything else, since a balancer must never send it.
 */
export class ResponseReader {
  private bytes: Buffer = Buffer.alloc(0);
  private interim: InterimResponse[] = [];
  private hasEnded = false;

  /** Bytes that belong to no complete response yet. */
  get pending(): Buffer {
    return this.bytes;
  }

  push(bytes: Uint8Array): void {
    this.bytes = this.bytes.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.bytes, bytes]);
  }

  end(): void {
    this.hasEnded = true;
  }

  /** The next response, or null while it is incomplete. `method`: of the request that it answers. */
  next(method: string): Response | null {
    for (;;) {
      const headEnd = this.bytes.indexOf('\r\n\r\n');
      if (headEnd < 0) return null;
      const head = parseHead(this.bytes.toString('latin1', 0, headEnd));
      if (head.status >= 100 && head.status < 200 && head.status !== 101) {
        this.interim.push({ status: head.status, fields: head.fields });
        this.bytes = this.bytes.subarray(headEnd + 4);
        continue;
      }
      const whole = this.takeBody(method, head, headEnd + 4);
      if (whole === null) return null;
      this.bytes = this.bytes.subarray(whole.taken);
      this.interim = [];
      return whole.response;
    }
  }

  private takeBody(method: string, head: Head, at: number): Partial {
    const framing = framingOf(method, head);
    const common = { ...head, framing, interim: this.interim };
    if (framing === 'none') {
      return { taken: at, response: { ...common, body: Buffer.alloc(0), isComplete: true } };
    }
    if (framing === 'chunked') return this.takeChunks(common, at);
    const length = framing === 'length' ? Number(field(head, 'content-length')) : Infinity;
    if (this.bytes.length - at >= length) {
      const body = this.bytes.subarray(at, at + length);
      return { taken: at + length, response: { ...common, body, isComplete: true } };
    }
    if (!this.hasEnded) return null;
    const body = this.bytes.subarray(at);
    const isComplete = framing === 'close';
    return { taken: this.bytes.length, response: { ...common, body, isComplete } };
  }

  private takeChunks(common: Omit<Response, 'body' | 'isComplete'>, start: number): Partial {
    const parts: Buffer[] = [];
    let at = start;
    for (;;) {
      const lineEnd = this.bytes.indexOf('\r\n', at);
      if (lineEnd < 0) break;
      const line = this.bytes.toString('latin1', at, lineEnd);
      if (!/^[0-9a-fA-F]{1,16}$/.test(line)) throw new Error(`chunk line ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      const dataStart = lineEnd + 2;
      if (size === 0) {
        if (this.bytes.length < dataStart + 2) break;
        const tail = this.bytes.toString('latin1', dataStart, dataStart + 2);
        if (tail !== '\r\n') throw new Error(`behind the last chunk: ${JSON.stringify(tail)}`);
        const body = Buffer.concat(parts);
        return { taken: dataStart + 2, response: { ...common, body, isComplete: true } };
      }
      if (this.bytes.length < dataStart + size + 2) {
        parts.push(this.bytes.subarray(dataStart, dataStart + size));
        break;
      }
      parts.push(this.bytes.subarray(dataStart, dataStart + size));
      if (this.bytes.toString('latin1', dataStart + size, dataStart + size + 2) !== '\r\n') {
        throw new Error('chunk data is not followed by CRLF');
      }
      at = dataStart + size + 2;
    }
    if (!this.hasEnded) return null;
    const body = Buffer.concat(parts);
    return { taken: this.bytes.length, response: { ...common, body, isComplete: false } };
  }
}

interface Head {
  readonly status: number;
  readonly startLine: string;
  readonly fields: readonly (readonly [string, string])[];
}

function parseHead(text: string): Head {
  const [startLine = '', ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.[01] ([1-9][0-9]{2}) [\t\x20-\x7e\x80-\xff]*$/.exec(startLine);
  if (match === null) throw new Error(`status line ${JSON.stringify(startLine)}`);
  const fields = lines.map((line): [string, string] => {
    const parts = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(
      line,
    );
    if (parts === null) throw new Error(`field line ${JSON.stringify(line)}`);
    return [parts[1]!.toLowerCase(), parts[2]!];
  });
  return { status: Number(match[1]), startLine, fields };
}

function framingOf(method: string, head: Head): Response['framing'] {
  const lengths = fieldsNamed(head, 'content-length');
  const codings = fieldsNamed(head, 'transfer-encoding');
  if (lengths.length > 1) throw new Error(`${lengths.length} Content-Length fields`);
  if (codings.length > 1) throw new Error(`${codings.length} Transfer-Encoding fields`);
  if (lengths.length > 0 && codings.length > 0) throw new Error('both framings in one answer');
  if (lengths.length > 0 && !/^[0-9]+$/.test(lengths[0]!)) throw new Error(`length ${lengths[0]}`);
  const { status } = head;
  if (status < 200 || status === 204) {
    if (lengths.length + codings.length > 0) throw new Error(`framing in a ${status}`);
    return 'none';
  }
  if (method === 'HEAD' || status === 304) return 'none';
  if (codings.length > 0) {
    if (codings[0]!.toLowerCase() !== 'chunked') throw new Error(`coding ${codings[0]}`);
    return 'chunked';
  }
  return lengths.length > 0 ? 'length' : 'close';
}
