import { ascii } from './tokens.ts';

/** An answer of our own. */
export interface LocalAnswer {
  /** 200–599. */
  readonly status: number;
  /** Default: the registered phrase of the status, or none. */
  readonly reasonPhrase?: string;
  readonly body: string;
  /** Default `text/plain; charset=utf-8`. */
  readonly contentType?: string;
  /**
   * Further fields: `Retry-After` with 503, `Allow` with 405, `Upgrade` with 426 … Values that a
   * field cannot carry are left out.
   */
  readonly fields?: Readonly<Record<string, string>>;
  /** Whole lines with their ends that were checked before; those of reserved fields are left out. */
  readonly lines?: string;
  /** The link is closed after it. */
  readonly closes: boolean;
  /** It answers HEAD: the length of the body, but not the body. */
  readonly isHead: boolean;
  /** IMF-fixdate. */
  readonly date: string;
  /** Written as `X-Request-Id`; empty: none. */
  readonly requestId?: string;
}

const phrases: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  410: 'Gone',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** Fields that frame the message or the link: ours alone. */
const reserved: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'x-request-id',
]);

/**
 * The complete answer, head and body, ready to be sent.
 *
 * No body and no Content-Length with 204; no body with 205, 304 and to HEAD. An `Upgrade` among
 * the fields brings its
 * Connection option. Names or values that are not valid in a field are left out rather than sent.
 * Cost: allocates; made for errors and fixed answers, not on the path of forwarded ones.
 */
export function localAnswer(answer: LocalAnswer): Uint8Array {
  const { status, fields = {} } = answer;
  const body = status === 205 ? new Uint8Array(0) : utf8(answer.body);
  const lines = [
    `HTTP/1.1 ${status} ${clean(answer.reasonPhrase ?? phrases[status] ?? '')}`,
    `Date: ${clean(answer.date)}`,
  ];
  if (status !== 204 && status !== 304) {
    if (body.length > 0) {
      lines.push(`Content-Type: ${clean(answer.contentType ?? 'text/plain; charset=utf-8')}`);
    }
    lines.push(`Content-Length: ${body.length}`);
  }
  if (answer.requestId) lines.push(`X-Request-Id: ${clean(answer.requestId)}`);
  let hasUpgrade = false;
  for (const [name, value] of Object.entries(fields)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || reserved.has(name.toLowerCase())) continue;
    if (name.toLowerCase() === 'upgrade') hasUpgrade = true;
    lines.push(`${name}: ${clean(value)}`);
  }
  for (const line of (answer.lines ?? '').split('\r\n')) {
    const name = line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase();
    if (name !== '' && !reserved.has(name)) lines.push(clean(line));
  }
  const options = [answer.closes ? 'close' : '', hasUpgrade ? 'Upgrade' : ''].filter(Boolean);
  if (options.length > 0) lines.push(`Connection: ${options.join(', ')}`);
  const head = ascii(`${lines.join('\r\n')}\r\n\r\n`);
  if (answer.isHead || status === 204 || status === 304) return head;
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

/** What would end a line or is no latin-1 octet becomes a space or `?`. */
function clean(value: string): string {
  return value.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, ' ').replace(/[^\t\x20-\xff]/g, '?');
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
