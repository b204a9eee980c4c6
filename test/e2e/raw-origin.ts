import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A request as the origin saw it, byte for byte. */
export interface SeenRequest {
  readonly line: string;
  /** Names as sent, in order. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly connection: number;
}

/** What the raw origin does with a request instead of answering 200 with its request line. */
export interface Script {
  /** Sent when the head is complete, before the body (early answers, 100 Continue). */
  readonly onHead?: string;
  /** Sent when the whole request is in; the default answer when both are missing. */
  readonly onRequest?: string;
  /** How the origin ends the link after its bytes; default: it stays open. */
  readonly ends?: 'fin' | 'reset';
  /** Write one byte per segment. */
  readonly inBytes?: boolean;
  /** Only for the first request that matches; the following ones get the default answer. */
  readonly once?: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * A server that parses strictly, records what it received and answers what it is told. Anything that
 * is not one clean HTTP/1.1 request after the other goes to `unclean`: for a balancer's output that
 * list must stay empty.
 */
export class RawOrigin {
  readonly server: Server;
  readonly seen: SeenRequest[] = [];
  readonly unclean: string[] = [];
  /** Bytes of requests that are not complete, by connection. */
  readonly partial: Map<number, string> = new Map();
  script: Script | null = null;
  connections = 0;
  private readonly sockets = new Set<Socket>();
  private uses = 0;

  constructor() {
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      this.accept(socket),
    );
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Forgets what was seen; links stay. */
  reset(script: Script | null): void {
    this.seen.length = 0;
    this.unclean.length = 0;
    this.partial.clear();
    this.script = script;
    this.uses = 0;
  }

  /** Open links now. */
  get open(): number {
    return this.sockets.size;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private accept(socket: Socket): void {
    const connection = this.connections++;
    let text = '';
    let isScripted = false;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    const step = (): boolean => {
      const headEnd = text.indexOf('\r\n\r\n');
      if (headEnd < 0) return false;
      const head = parseHead(text.slice(0, headEnd));
      if (head === null) return this.refuse(socket, text);
      if (!isScripted && this.isFor(head.line)) {
        isScripted = true;
        this.play(socket, this.script?.onHead, this.script?.onRequest === undefined);
      }
      const body = takeBody(head.fields, text, headEnd + 4);
      if (body === 'unclean') return this.refuse(socket, text);
      if (body === null) return false;
      text = text.slice(body.end);
      this.seen.push({ ...head, body: body.text, connection });
      const isInterim = /^HTTP\/1\.1 1/.test(this.script?.onHead ?? '');
      if (isScripted && !(isInterim && this.script?.onRequest === undefined)) {
        isScripted = false;
        this.play(socket, this.script?.onRequest, true);
        if (this.script?.once === true) this.uses++;
      } else {
        isScripted = false;
        const content = `${head.line}`;
        const isHead = head.line.startsWith('HEAD ');
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n${isHead ? '' : content}`,
          'latin1',
        );
      }
      return true;
    };
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      while (text !== '' && step());
      if (text === '') this.partial.delete(connection);
      else this.partial.set(connection, text);
    });
  }

  /** Scripts are for requests of the case, not for the checks around it. */
  private isFor(line: string): boolean {
    if (this.script === null || this.uses > 0) return false;
    return !/ \/(after|sentinel)\b/.test(line);
  }

  private play(socket: Socket, bytes: string | undefined, isLast: boolean): void {
    if (bytes !== undefined) {
      if (this.script?.inBytes === true) {
        for (const byte of bytes) socket.write(byte, 'latin1');
      } else socket.write(bytes, 'latin1');
    }
    if (!isLast) return;
    if (this.script?.ends === 'fin') socket.end();
    if (this.script?.ends === 'reset') socket.resetAndDestroy();
  }

  private refuse(socket: Socket, text: string): false {
    this.unclean.push(text);
    socket.destroy();
    return false;
  }
}

interface ParsedHead {
  readonly line: string;
  readonly fields: readonly (readonly [string, string])[];
}

function parseHead(text: string): ParsedHead | null {
  const [line = '', ...rest] = text.split('\r\n');
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP\/1\.1$/.test(line)) return null;
  const fields: [string, string][] = [];
  for (const one of rest) {
    const colon = one.indexOf(':');
    const name = one.slice(0, colon);
    const value = one.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    if (colon < 1 || !TOKEN.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return null;
    fields.push([name, value]);
  }
  return { line, fields };
}

type Body = { readonly text: string; readonly end: number } | null | 'unclean';

function takeBody(fields: ParsedHead['fields'], text: string, at: number): Body {
  const named = (name: string): string[] =>
    fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
  const lengths = named('content-length');
  const codings = named('transfer-encoding');
  if (lengths.length + codings.length > 1) return 'unclean';
  if (codings.length === 1) {
    return codings[0]!.toLowerCase() === 'chunked' ? takeChunks(text, at) : 'unclean';
  }
  if (lengths.length === 0) return { text: '', end: at };
  if (!/^(0|[1-9][0-9]*)$/.test(lengths[0]!)) return 'unclean';
  const end = at + Number(lengths[0]);
  return text.length < end ? null : { text: text.slice(at, end), end };
}

function takeChunks(text: string, start: number): Body {
  let at = start;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return text.length - at > 20 ? 'unclean' : null;
    const line = text.slice(at, lineEnd);
    // Extensions are hop-by-hop and must not be forwarded, so a size line is digits only.
    if (!/^[0-9a-fA-F]{1,16}$/.test(line)) return 'unclean';
    const size = Number.parseInt(line, 16);
    const data = lineEnd + 2;
    if (text.length < data + size + 2) return null;
    if (size > 0) {
      if (text.slice(data + size, data + size + 2) !== '\r\n') return 'unclean';
      body += text.slice(data, data + size);
      at = data + size + 2;
      continue;
    }
    const end = text.indexOf('\r\n\r\n', lineEnd);
    if (end < 0) return null;
    if (end === lineEnd) return { text: body, end: end + 4 };
    // Trailers may pass as trailers, each a valid line.
    const trailers = text.slice(data, end).split('\r\n');
    const isClean = trailers.every((one) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:/.test(one));
    return isClean ? { text: body, end: end + 4 } : 'unclean';
  }
}
