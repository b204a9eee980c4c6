/** A fact of a request that a line may tell; known while its head is at hand. */
export const requestFacts = [
  'method',
  'host',
  'path',
  'query',
  'uri',
  'protocol',
  'referer',
  'userAgent',
  'header',
] as const;

/** A fact of its exchange, known when that has ended. */
export const exchangeFacts = [
  'time',
  'commonTime',
  'id',
  'trace',
  'client',
  'listener',
  'status',
  'bytesIn',
  'bytes',
  'totalMs',
  'connectMs',
  'firstByteMs',
  'queuedMs',
  'route',
  'pool',
  'server',
  'attempts',
  'actions',
  'reason',
] as const;

/** One of `requestFacts`. */
export type RequestFact = (typeof requestFacts)[number];
/** One of `exchangeFacts`. */
export type ExchangeFact = (typeof exchangeFacts)[number];
/** What a line may tell. */
export type LogFact = RequestFact | ExchangeFact;

/** A piece of an access-log line. `header`: name in lower case, for the fact `header` only. */
export type LogPart =
  | { readonly text: string }
  | { readonly fact: LogFact; readonly header: string };

/** How access-log lines look and which exchanges get one. */
export interface LogForm {
  /** `default`: every fact of the usual line, written the short way; `parts` is empty. */
  readonly style: 'default' | 'json' | 'text';
  /** Members of the JSON object in order (facts only), or the pieces of a line of text. */
  readonly parts: readonly LogPart[];
  /** Query parameters whose values are never shown; lower case. */
  readonly hidden: readonly string[];
  /** Exchanges that did not go well get their line whatever `share` is. */
  readonly keepsErrors: boolean;
  /** The same for those that took so long (ms); 0 = no. */
  readonly slowMs: number;
  /** Share of the other exchanges that get a line, 0 to 1. */
  readonly share: number;
}

/** The line of Apache's and nginx's `combined` format. */
export const combinedLine =
  '${client} - - [${commonTime}] "${method} ${uri} ${protocol}" ${status} ${bytes} "${referer}" "${userAgent}"';

/**
 * Query parameters that are secrets by their usual names: tokens, passwords, keys, signatures of signed URLs.
 */
export const secretParameters: readonly string[] = [
  'access_token',
  'api_key',
  'api-key',
  'apikey',
  'auth',
  'authorization',
  'client_secret',
  'code',
  'id_token',
  'jwt',
  'passwd',
  'password',
  'pwd',
  'refresh_token',
  'secret',
  'session',
  'session_id',
  'sessionid',
  'sid',
  'sig',
  'signature',
  'token',
  'x-amz-credential',
  'x-amz-security-token',
  'x-amz-signature',
  'x-goog-credential',
  'x-goog-signature',
];

const secretHeader =
  /auth|cookie|token|secret|passw|credential|signature|session|jwt|csrf|xsrf|api-?key/;

/** Whether a header field carries secrets by its name; such are never logged. */
export function isSecretHeader(name: string): boolean {
  return secretHeader.test(name.toLowerCase());
}

const headerName = /^header\.([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$/;

/** The fact that a name of the configuration means (`status`, `header.NAME`); null for none. */
export function logFactOf(written: string): Exclude<LogPart, { text: string }> | null {
  const header = headerName.exec(written)?.[1];
  if (header !== undefined) return { fact: 'header', header: header.toLowerCase() };
  const facts: readonly LogFact[] = [...requestFacts, ...exchangeFacts];
  const fact = facts.find((name) => name === written && name !== 'header');
  return fact === undefined ? null : { fact, header: '' };
}

/** Why a text is no line, in words that end the sentence `found …`. */
export interface LineFault {
  readonly found: string;
  /** The name as it was written between braces; null where braces are at fault. */
  readonly written: string | null;
}

/** Takes `${client} ${status}` apart; `$${` stands for the two letters themselves. Cost: linear. */
export function parseLine(template: string): readonly LogPart[] | LineFault {
  const parts: LogPart[] = [];
  let text = '';
  let at = 0;
  while (at < template.length) {
    if (template.startsWith('$${', at)) {
      text += '${';
      at += 3;
    } else if (template.startsWith('${', at)) {
      const end = template.indexOf('}', at);
      if (end < 0) return { found: 'found `${` without its `}`', written: null };
      const written = template.slice(at + 2, end);
      const part = logFactOf(written);
      if (part === null) return { found: `found \${${written.slice(0, 64)}}`, written };
      if (text !== '') parts.push({ text });
      text = '';
      parts.push(part);
      at = end + 1;
    } else {
      text += template[at];
      at++;
    }
  }
  if (text !== '') parts.push({ text });
  return parts;
}

/** Whether `parseLine` found a fault. */
export function isLineFault(parsed: readonly LogPart[] | LineFault): parsed is LineFault {
  return 'found' in parsed;
}
