import { connect, type Socket } from 'node:net';
import { type Response, ResponseReader } from './response-reader.ts';
import { within } from './waiting.ts';

/** Where to connect, and from where. */
export interface ClientOptions {
  readonly port: number;
  readonly host?: string;
  /** Source address: any of 127.0.0.0/8 on Linux. */
  readonly localAddress?: string;
  /** For one answer, ms. */
  readonly timeoutMs?: number;
}

/** A bare HTTP/1.1 client link that sends exact bytes and reads strictly. */
export class Client {
  readonly socket: Socket;
  /** Everything that arrived, for raw comparisons. */
  readonly reader: ResponseReader = new ResponseReader();
  isEnded = false;
  isClosed = false;
  error: NodeJS.ErrnoException | null = null;
  private readonly timeoutMs: number;
  private wake: (() => void) | null = null;
  private readonly connected: Promise<void>;

  constructor(options: ClientOptions) {
    this.timeoutMs = options.timeoutMs ?? 10_000;
    this.socket = connect({
      port: options.port,
      host: options.host ?? '127.0.0.1',
      allowHalfOpen: true,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    });
    this.socket.setNoDelay(true);
    this.connected = new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('error', reject);
    });
    // Who awaits open() sees the error; who does not sees it in `error`.
    this.connected.catch(() => undefined);
    this.socket.on('data', (bytes: Buffer) => {
      this.reader.push(bytes);
      this.notify();
    });
    this.socket.on('end', () => {
      this.isEnded = true;
      this.reader.end();
      this.notify();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error;
      this.reader.end();
      this.notify();
    });
    this.socket.on('close', () => {
      this.isClosed = true;
      this.reader.end();
      this.notify();
    });
  }

  /** Resolves once connected. Errors: the connect error. */
  async open(): Promise<this> {
    await within('connect', this.timeoutMs, this.connected);
    return this;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /**
   * The next final response. `method` decides whether it may have a body. Null when the link ended
   * without one. Errors: throws on a malformed answer and after the time-out.
   */
  async response(method = 'GET'): Promise<Response | null> {
    const end = performance.now() + this.timeoutMs;
    for (;;) {
      const response = this.reader.next(method);
      if (response !== null) return response;
      if (this.isEnded || this.isClosed) return null;
      await this.change(end - performance.now(), 'an answer');
    }
  }

  /** Sends a request and reads its answer. Errors: throws where there is none. */
  async request(text: string, method?: string): Promise<Response> {
    this.send(text);
    const response = await this.response(method ?? text.slice(0, text.indexOf(' ')));
    if (response === null) {
      throw new Error(`the link ended without an answer (${this.error?.code ?? 'FIN'})`);
    }
    return response;
  }

  /** Resolves when the peer has ended or reset the link. Errors: throws after `deadlineMs`. */
  async ended(deadlineMs: number = this.timeoutMs): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!this.isEnded && !this.isClosed) await this.change(end - performance.now(), 'the end');
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Leaves with a reset: a FIN alone would be a client that still wants its answer. */
  abort(): void {
    this.socket.resetAndDestroy();
  }

  private notify(): void {
    const wake = this.wake;
    this.wake = null;
    wake?.();
  }

  private change(deadlineMs: number, what: string): Promise<void> {
    return within(
      `${what} (so far ${JSON.stringify(this.reader.pending.toString('latin1', 0, 300))})`,
      Math.max(1, deadlineMs),
      new Promise((resolve) => {
        this.wake = resolve;
      }),
    );
  }
}

/** One request on a link of its own. Errors: throws where there is no answer. */
export async function fetchOnce(port: number, path: string, fields = ''): Promise<Response> {
  const client = await new Client({ port }).open();
  try {
    return await client.request(
      `GET ${path} HTTP/1.1\r\nHost: lb.test\r\nConnection: close\r\n${fields}\r\n`,
    );
  } finally {
    client.destroy();
  }
}
