import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';

/** A GET of control's own: to sources of discovery, never on the data plane. */
export interface HttpQuestion {
  /** `http://…` or `https://…`. */
  readonly url: string;
  /** Ask over this Unix socket; null = over TCP to the URL's host. */
  readonly socketPath: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** For the whole answer; for a stream until its head is there, and then between two pieces of it. */
  readonly timeoutMs: number;
  /** Certificates in PEM that the peer is checked by; null = the usual ones. */
  readonly ca: string | null;
}

/** A whole answer. Field names are in lower case. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** What happens on a stream of lines: the status, then lines, then the end with its reason, once. */
export interface LineHandler {
  onStatus(status: number): void;
  onLine(line: string): void;
  onEnd(why: string): void;
}

/** An open stream. `onEnd` is not called after `stop`. */
export interface LineStream {
  stop(): void;
}

/** How control asks over HTTP. */
export interface HttpClient {
  /** Errors: rejects with the reason when there is no whole answer in time, or it is above 16 MiB. */
  get(question: HttpQuestion): Promise<HttpAnswer>;
  /** Reads an answer that does not end, line by line; lines above 4 MiB end it. */
  lines(question: HttpQuestion, handler: LineHandler): LineStream;
}

/** Ten thousand endpoints with their labels fit. */
const BODY_BYTES_MAX = 16_777_216;
const LINE_LENGTH_MAX = 4_194_304;

/** Node's client, one connection per question: a kept one could be closed under the next question. */
export const httpClient: HttpClient = { get, lines };

function get(question: HttpQuestion): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let answerOf: IncomingMessage | null = null;
    const asking = open(question, (answer) => {
      answerOf = answer;
      const pieces: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > BODY_BYTES_MAX) asking.destroy(new Error('the answer is too large'));
        else pieces.push(piece);
      });
      answer.on('error', fail);
      answer.on('end', () => {
        clearTimeout(timer);
        const body = Buffer.concat(pieces).toString();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
      });
    });
    const timer = setTimeout(() => {
      const part = answerOf === null ? 'no answer' : 'no whole answer';
      asking.destroy(new Error(`${part} within ${question.timeoutMs} ms`));
    }, question.timeoutMs);
    const fail = (error: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      reject(new Error(reasonOf(error)));
    };
    asking.on('error', fail);
    asking.end();
  });
}

function lines(question: HttpQuestion, handler: LineHandler): LineStream {
  let isOver = false;
  const end = (why: string): void => {
    if (isOver) return;
    isOver = true;
    handler.onEnd(why);
    asking.destroy();
  };
  const asking = open(question, (answer) => {
    handler.onStatus(answer.statusCode ?? 0);
    let rest = '';
    answer.setEncoding('utf8');
    answer.on('data', (piece: string) => {
      const parts = (rest + piece).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) if (!isOver && line.trim() !== '') handler.onLine(line);
      if (rest.length > LINE_LENGTH_MAX) end('a line is too long');
    });
    answer.on('error', (error) => end(reasonOf(error)));
    answer.on('end', () => end('the stream ended'));
  });
  asking.setTimeout(question.timeoutMs, () => end(`nothing came for ${question.timeoutMs} ms`));
  asking.on('error', (error) => end(reasonOf(error)));
  asking.end();
  return {
    stop: () => {
      isOver = true;
      asking.destroy();
    },
  };
}

function open(question: HttpQuestion, onAnswer: (answer: IncomingMessage) => void): ClientRequest {
  const { url, socketPath, headers, ca } = question;
  const options: RequestOptions & { ca?: string } = {
    agent: false,
    headers: { 'user-agent': 'evenkeel', ...headers },
    ...(socketPath === null ? {} : { socketPath }),
    ...(ca === null ? {} : { ca }),
  };
  return url.startsWith('https:')
    ? requestTls(url, options, onAnswer)
    : requestPlain(url, options, onAnswer);
}

/** Messages of failed connections to several addresses are empty; the code says what is needed. */
function reasonOf(error: NodeJS.ErrnoException): string {
  return error.message === '' ? (error.code ?? 'no connection') : error.message;
}
