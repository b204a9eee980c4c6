import {
  type Span,
  type SpanBatch,
  SpanKind,
  SpanNumber,
  SpanWord,
  spanNumbers,
  spanWords,
} from '../../model/spans.ts';

type Attributes = Record<string, string | number | boolean>;

/** One span as a worker wrote it. */
interface Row {
  readonly number: (at: number) => number;
  readonly word: (at: number) => string;
}

/** Methods that name a span; a client may write anything. */
const knownMethods = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT)$/;

/** The spans of a batch, named and with attributes by OpenTelemetry's semantic conventions for HTTP. */
export function readSpans({ numbers, words }: SpanBatch): Span[] {
  return Array.from({ length: numbers.length / spanNumbers }, (_, index) =>
    readRow({
      number: (at) => numbers[index * spanNumbers + at] ?? 0,
      word: (at) => words[index * spanWords + at] ?? '',
    }),
  );
}

function readRow({ number, word }: Row): Span {
  const hex = (at: number, count: number): string =>
    Array.from({ length: count }, (_, i) =>
      number(at + i)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
  const parentId = hex(SpanNumber.PARENT, 2);
  const kind = number(SpanNumber.KIND);
  const status = number(SpanNumber.STATUS);
  const reason = word(SpanWord.REASON);
  const isOver = kind === SpanKind.REQUEST || kind === SpanKind.TRY;
  const isError = status >= 500 || (reason !== '' && (kind !== SpanKind.REQUEST || status === 0));
  return {
    traceId: hex(SpanNumber.TRACE, 4),
    id: hex(SpanNumber.ID, 2),
    parentId: /^0+$/.test(parentId) ? null : parentId,
    hasRemoteParent: kind === SpanKind.REQUEST,
    ...nameOf({ number, word }, kind),
    startUs: number(SpanNumber.START),
    endUs: number(SpanNumber.END),
    isError,
    attributes: {
      ...(kind === SpanKind.REQUEST ? ofRequest({ number, word }) : ofPart({ number, word }, kind)),
      ...(isOver && status > 0 ? { 'http.response.status_code': status } : {}),
      ...(isError ? { 'error.type': reason === '' ? String(status) : reason } : {}),
      ...(reason === '' ? {} : { 'evenkeel.reason': reason }),
    },
  };
}

function nameOf({ word }: Row, kind: number): Pick<Span, 'name' | 'kind'> {
  const pool = word(SpanWord.POOL);
  if (kind === SpanKind.REQUEST) {
    const method = word(SpanWord.METHOD);
    const route = word(SpanWord.ROUTE);
    const name = knownMethods.test(method) ? method : 'HTTP';
    return { name: route === '' ? name : `${name} ${route}`, kind: 'server' };
  }
  if (kind === SpanKind.TRY) return { name: `try ${pool}`, kind: 'client' };
  return { name: kind === SpanKind.QUEUE ? `queue ${pool}` : 'dial', kind: 'internal' };
}

function ofRequest({ number, word }: Row): Attributes {
  return {
    'http.request.method': word(SpanWord.METHOD),
    'url.path': word(SpanWord.PATH),
    'url.scheme': 'http',
    'server.address': word(SpanWord.HOST),
    'client.address': word(SpanWord.CLIENT),
    'evenkeel.listener': word(SpanWord.LISTENER),
    'evenkeel.route': word(SpanWord.ROUTE),
    'evenkeel.pool': word(SpanWord.POOL),
    'evenkeel.request_id': word(SpanWord.REQUEST_ID),
    'evenkeel.tries': number(SpanNumber.TRIES),
  };
}

function ofPart({ number, word }: Row, kind: number): Attributes {
  if (kind === SpanKind.QUEUE) return { 'evenkeel.pool': word(SpanWord.POOL) };
  const server = serverOf(word(SpanWord.SERVER));
  if (kind === SpanKind.DIAL) return server;
  const before = number(SpanNumber.TRIES);
  return {
    ...server,
    'evenkeel.pool': word(SpanWord.POOL),
    'evenkeel.link_reused': number(SpanNumber.FLAG) === 1,
    ...(before > 0 ? { 'http.request.resend_count': before } : {}),
  };
}

function serverOf(address: string): Attributes {
  const match = /^(.+):(\d+)$/.exec(address);
  if (match === null || address.startsWith('unix:')) return { 'server.address': address };
  const host = (match[1] ?? '').replace(/^\[(.*)\]$/, '$1');
  return { 'server.address': host, 'server.port': Number(match[2]) };
}
