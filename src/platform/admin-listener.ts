import { chmodSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

/** A request to the admin API, read whole. */
export interface AdminRequest {
  readonly method: string;
  /** The target as sent: path and query. */
  readonly target: string;
  readonly host: string | null;
  readonly origin: string | null;
  readonly authorization: string | null;
  /** `Accept`; null when it was not sent. */
  readonly accept: string | null;
  /** `Accept-Encoding`; null when it was not sent. */
  readonly acceptEncoding: string | null;
  readonly body: string;
  /** The peer's and our own address of a TCP connection; null on the Unix socket. */
  readonly peer: { readonly remoteAddress: string; readonly localAddress: string } | null;
}

/** An answer of the admin API. */
export interface AdminResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** In place of `body`: bytes as they are, for example of a compressed file. */
  readonly bytes?: Uint8Array;
  /** In place of `body`: text that goes on until one side ends it. Called once; what it gives is called at the end. */
  readonly stream?: (sink: AdminSink) => () => void;
}

/** Takes the text of a stream. */
export interface AdminSink {
  /** Sends it, or drops a client that has left more than a MiB and two such texts unread. */
  write(text: string): void;
  end(): void;
}

/** Answers requests. A rejection becomes a 500 without details. */
export type AnswerAdmin = (request: AdminRequest) => Promise<AdminResponse>;

/** An open admin socket. */
export interface AdminListener {
  /** The port in use; 0 for a Unix socket. */
  readonly port: number;
  /** Stops listening and ends what is open. */
  close(): Promise<void>;
}

/** Bodies above this are refused with 413: the largest legal one is a server's description. */
export const adminBodyBytesMax = 1_048_576;
/** Open connections; a leaking client must not use up the balancer's descriptors. */
const connectionsMax = 128;
const requestTimeoutMs = 10_000;
const keepAliveMs = 5_000;
/** Text that may wait for a client of a stream; a slower one is dropped, and may come again. */
const streamBytesMax = 1_048_576;
const streamAliveMs = 15_000;
/** How long `close` lets a last answer leave before it cuts. */
const closeWaitMs = 500;

/** Where the admin API listens. */
export type AdminAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/**
 * Serves HTTP for the admin API: reads each request whole (at most 1 MiB, ten seconds), answers it.
 * A Unix socket gets mode 0600. With `fd`, a listening socket that is ours to close, `address` only says
 * what it is. Errors: rejects with the system's error when it cannot listen.
 */
export async function listenAdmin(
  address: AdminAddress,
  answer: AnswerAdmin,
  onError: (error: unknown) => void,
  fd: number | null = null,
): Promise<AdminListener> {
  const streams = new Set<() => void>();
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs, maxHeaderSize: 16_384 },
    (request, response) =>
      serve(request, response, { answer, onError, streams, isUnix: address.kind === 'unix' }),
  );
  server.keepAliveTimeout = keepAliveMs;
  server.maxConnections = connectionsMax;
  if (fd === null) await listen(server, address);
  else await listenOn(server, fd);
  server.on('error', onError);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    close: () => {
      for (const end of [...streams]) end();
      return closeServer(server);
    },
  };
}

interface Serving {
  readonly answer: AnswerAdmin;
  readonly onError: (error: unknown) => void;
  /** Ends each open stream. */
  readonly streams: Set<() => void>;
  readonly isUnix: boolean;
}

function listenOn(server: Server, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function listen(server: Server, address: AdminAddress): Promise<void> {
  // A chmod alone would leave the socket open for a moment where the user's umask is loose. Not 0o177: another
  // thread may be making a log file of mode 0640 right now. To connect takes the right to write, so 0640 is closed.
  const umask = address.kind === 'unix' ? process.umask(0o137) : null;
  try {
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const onListening = (): void => {
        server.off('error', reject);
        resolve();
      };
      if (address.kind === 'unix') server.listen({ path: address.path }, onListening);
      else server.listen({ host: address.host, port: address.port }, onListening);
    });
    if (address.kind !== 'unix') return listening;
    return listening.then(() => chmodSync(address.path, 0o600));
  } finally {
    if (umask !== null) process.umask(umask);
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), closeWaitMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  request.on('error', () => response.destroy());
  response.on('error', serving.onError);
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= adminBodyBytesMax) pieces.push(piece);
    else if (!response.headersSent) send(response, request.method, tooLarge);
  });
  request.on('end', () => {
    if (response.headersSent) return;
    const whole = toAdminRequest(request, Buffer.concat(pieces).toString(), serving.isUnix);
    serving.answer(whole).then(
      (result) => {
        const isStream = result.stream !== undefined && request.method !== 'HEAD';
        if (isStream) sendStream(response, result, serving);
        else send(response, request.method, result);
      },
      (error: unknown) => {
        serving.onError(error);
        send(response, request.method, failed);
      },
    );
  });
}

function toAdminRequest(request: IncomingMessage, body: string, isUnix: boolean): AdminRequest {
  const { headers, socket } = request;
  return {
    method: request.method ?? '',
    target: request.url ?? '/',
    host: headers.host ?? null,
    origin: headers.origin ?? null,
    authorization: headers.authorization ?? null,
    accept: headers.accept ?? null,
    acceptEncoding: headers['accept-encoding']?.toString() ?? null,
    body,
    peer: isUnix
      ? null
      : { remoteAddress: socket.remoteAddress ?? '', localAddress: socket.localAddress ?? '' },
  };
}

const commonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

function send(response: ServerResponse, method: string | undefined, result: AdminResponse): void {
  if (response.destroyed) return;
  const body = result.bytes ?? Buffer.from(result.body);
  response.writeHead(result.status, {
    ...commonHeaders,
    ...result.headers,
    'content-length': body.length,
  });
  response.end(method === 'HEAD' ? undefined : body);
}

function sendStream(response: ServerResponse, result: AdminResponse, { streams }: Serving): void {
  if (response.destroyed || result.stream === undefined) return;
  response.writeHead(result.status, { ...commonHeaders, ...result.headers });
  response.flushHeaders();
  const end = (): void => void response.end();
  // A stream of rare events must show that it lives: a comment, as server-sent events have them.
  const alive = setInterval(() => sink.write(': here\n\n'), streamAliveMs);
  alive.unref();
  let stop: (() => void) | null = null;
  let hasEnded = false;
  response.once('close', () => {
    hasEnded = true;
    streams.delete(end);
    clearInterval(alive);
    stop?.();
  });
  streams.add(end);
  // One frame of ten thousand servers is more than the limit, and may be on its way when the next is due.
  let longest = 0;
  const sink: AdminSink = {
    write: (text) => {
      if (hasEnded || response.writableEnded) return;
      longest = Math.max(longest, text.length);
      if (response.writableLength > streamBytesMax + 2 * longest) response.destroy();
      else response.write(text);
    },
    end,
  };
  stop = result.stream(sink);
  // It may have ended while it was begun.
  if (response.closed) stop();
}

function plainError(status: number, code: string, message: string): AdminResponse {
  const headers = { 'content-type': 'application/json', connection: 'close' };
  return { status, headers, body: `${JSON.stringify({ error: { code, message } })}\n` };
}

const tooLarge = plainError(
  413,
  'body-too-large',
  `the body is larger than ${adminBodyBytesMax} bytes`,
);
const failed = plainError(500, 'internal-error', 'an error of ours; the log says more');
