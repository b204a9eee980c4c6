/** Integer below `bound`. */
export type Below = (bound: number) => number;

/** Content that both ends can work out from a tag, so that any lost, doubled or moved byte shows. */
export function contentOf(tag: string, length: number): string {
  let text = contents.get(tag) ?? '';
  if (text.length < length) {
    const parts: string[] = [];
    const unit = `${tag}.`;
    for (let i = 0, sum = 0; sum < length; i++)
      sum += parts[parts.push(unit + i.toString(36)) - 1]!.length;
    text = parts.join('');
    if (contents.size > 100) contents.clear();
    contents.set(tag, text);
  }
  return text.slice(0, length);
}

/** Contents that were asked for lately, by tag. */
const contents = new Map<string, string>();

const pick = <T>(below: Below, from: readonly T[]): T => from[below(from.length)] as T;

/** Lengths of bodies: mostly small, sometimes beyond a buffer, the replay's room, a queue's mark. */
function lengthOf(below: Below): number {
  const kind = below(40);
  if (kind < 8) return 0;
  if (kind < 28) return 1 + below(40);
  if (kind < 34) return below(3_000);
  if (kind < 37) return 15_000 + below(60_000);
  return 100_000 + below(300_000);
}

/** `text` in chunks; `isPlain`: in the form that needs no rewriting. */
function chunked(below: Below, text: string): string {
  const isPlain = below(3) === 0;
  let out = '';
  for (let at = 0; at < text.length; ) {
    const size = 1 + below(below(4) === 0 ? 20_000 : 40);
    const part = text.slice(at, at + size);
    let line = part.length.toString(16);
    if (!isPlain && below(3) === 0) line = line.toUpperCase();
    if (!isPlain && below(4) === 0) line = line.padStart(1 + below(6), '0');
    if (!isPlain && below(4) === 0) line += pick(below, [';a', ';a=b', ';a="b;c"', '; q = "\\""']);
    out += `${line}\r\n${part}\r\n`;
    at += size;
  }
  const last = !isPlain && below(5) === 0 ? pick(below, ['00', '0;x=y', '000']) : '0';
  const trailers = !isPlain && below(4) === 0 ? 'X-T: 1\r\nX-U: b, c\r\n' : '';
  return `${out}${last}\r\n${trailers}\r\n`;
}

/** Further fields of either side that must change nothing. */
const plainFields = [
  'Accept: */*\r\n',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n',
  'Cookie: a=b; c=d\r\n',
  'X-A: b\r\n',
  'X-Empty:\r\n',
  'Via: 1.0 fred\r\n',
  'X-Forwarded-For: 6.6.6.6\r\n',
  'Forwarded: for=_x\r\n',
  'TE: trailers\r\nConnection: TE\r\n',
  'Connection: x-gone\r\nX-Gone: 1\r\n',
  'Proxy-Authorization: x\r\n',
  'Keep-Alive: timeout=5\r\n',
  'Date: Sat, 21 Nov 2026 01:12:27 GMT\r\n',
  'Cache-Control: no-store\r\n',
];

function someFields(below: Below): string {
  let text = '';
  for (let left = below(4); left > 0; left--) text += pick(below, plainFields);
  return text;
}

/** A request and what its client knows of it. */
export interface Request {
  readonly text: string;
  readonly method: string;
  readonly minor: number;
  readonly tag: string;
}

/** One valid request with tag `tag`; `isLast`: it may ask to close, speak HTTP/1.0 or upgrade. */
export function request(below: Below, tag: string, isLast: boolean, allowsHead: boolean): Request {
  const special = isLast ? below(8) : 7;
  const version = special < 2 || special === 4 ? '1.0' : '1.1';
  const hasBody = below(3) === 0;
  const method = hasBody
    ? pick(below, ['POST', 'PUT', 'PATCH'])
    : pick(below, ['GET', 'GET', 'GET', allowsHead ? 'HEAD' : 'GET', 'DELETE', 'OPTIONS']);
  const target = `${below(6) === 0 ? `http://h.example` : ''}/t${tag}${pick(below, ['', '?q=1', '/%7Ea', '/a%2Db'])}`;
  const host = version === '1.0' && below(2) === 0 ? '' : 'Host: h.example\r\n';
  let fields = someFields(below);
  if (special === 2) fields += 'Connection: close\r\n';
  if (special === 3) fields += 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  if (special === 0) fields += 'Connection: keep-alive\r\n';
  const head = `${method} ${target} HTTP/${version}\r\n${below(2) === 0 ? host + fields : fields + host}`;
  const made = (text: string): Request => ({ text, method, minor: version === '1.0' ? 0 : 1, tag });
  if (!hasBody) return made(`${below(20) === 0 ? '\r\n' : ''}${head}\r\n`);
  const content = contentOf(tag, lengthOf(below));
  const expects = version === '1.1' && below(4) === 0 ? 'Expect: 100-continue\r\n' : '';
  if (version === '1.1' && below(2) === 0) {
    return made(
      `${head}X-Length: ${content.length}\r\n${expects}Transfer-Encoding: chunked\r\n\r\n${chunked(below, content)}`,
    );
  }
  return made(
    `${head}X-Length: ${content.length}\r\n${expects}Content-Length: ${content.length}\r\n\r\n${content}`,
  );
}

/** What a server has understood of the request that it answers. */
export interface Asked {
  readonly tag: string;
  /** Names the request among all that servers got. */
  readonly serial: string;
  readonly isHead: boolean;
  readonly wantsUpgrade: boolean;
  readonly expects: boolean;
}

/** A valid answer in any framing. `endsLink`: the server must send FIN behind it. */
export function response(
  below: Below,
  asked: Asked,
): { readonly text: string; readonly endsLink: boolean } {
  const marks = (length: number) =>
    `X-Tag: ${asked.tag}\r\nX-Serial: ${asked.serial}\r\nX-Length: ${length}\r\n`;
  let text = '';
  if (asked.expects && below(3) > 0) text += 'HTTP/1.1 100 Continue\r\n\r\n';
  if (below(10) === 0) text += 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
  if (asked.wantsUpgrade && below(3) > 0) {
    return {
      text: `${text}HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${marks(0)}\r\nraw`,
      endsLink: false,
    };
  }
  const kind = below(12);
  const status = pick(below, ['200 OK', '200 OK', '201 Created', '404 ', '500 Oh', '503 Busy']);
  const fields = someFields(below);
  if (kind === 0)
    return { text: `${text}HTTP/1.1 204 No Content\r\n${marks(0)}${fields}\r\n`, endsLink: false };
  if (kind === 1)
    return {
      text: `${text}HTTP/1.1 304 Not Modified\r\n${marks(0)}Content-Length: 7\r\n\r\n`,
      endsLink: false,
    };
  const length = lengthOf(below);
  const content = asked.isHead ? '' : contentOf(asked.tag, length);
  const version = kind < 4 ? '1.0' : '1.1';
  const head = `HTTP/${version} ${status}\r\n${marks(content.length)}${fields}`;
  if (kind === 2 || kind === 4) {
    return {
      text: `${text}${head}X-Until: end\r\n\r\n${content}`,
      endsLink: !asked.isHead || version === '1.0',
    };
  }
  if (kind < 8) {
    const close = kind === 5 ? 'Connection: close\r\n' : '';
    const announced = asked.isHead ? length : content.length;
    return {
      text: `${text}${head}${close}Content-Length: ${announced}\r\n\r\n${content}`,
      endsLink: version === '1.0' || kind === 5,
    };
  }
  const body = asked.isHead ? '' : chunked(below, content);
  return { text: `${text}${head}Transfer-Encoding: chunked\r\n\r\n${body}`, endsLink: false };
}

/** Pieces of grammar that mutations insert: what smuggling has been made of. */
const pieces = [
  '\r\n',
  '\r',
  '\n',
  '\t',
  ' ',
  '\x00',
  '\x0b',
  '\x7f',
  '\xff',
  ':',
  ',',
  ';',
  '"',
  '%2e',
  '%2f',
  '%00',
  '%',
  '..',
  '/',
  '?',
  '#',
  '@',
  '\\',
  '0',
  '5',
  '+',
  '-',
  '0x',
  'f',
  'ffffffffffffffff',
  'chunked',
  'identity',
  'gzip, chunked',
  'Content-Length: 5\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 5, 5\r\n',
  'Content-Length: +5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding:chunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  'Transfer-Encoding: xchunked\r\n',
  'Host: evil\r\n',
  'Connection: close\r\n',
  'Connection: close, content-length\r\n',
  'Connection: keep-alive\r\n',
  'Connection: Upgrade\r\n',
  'Upgrade: websocket\r\n',
  'Expect: 100-continue\r\n',
  'Expect: 200-ok\r\n',
  'X-A: b\r\n',
  ' folded\r\n',
  'Max-Forwards: 0\r\n',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'http://h',
  '*',
  'GET /admin HTTP/1.1\r\nHost: a\r\n\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 204 No\r\n\r\n',
] as const;

/** Damages a text in up to three places, mostly where heads are. */
export function mutate(below: Below, text: string): string {
  let result = text;
  for (let left = 1 + below(3); left > 0; left--) {
    const span = below(4) === 0 ? result.length : Math.min(result.length, 250);
    const lineAt = result.indexOf('\r\n', below(span + 1));
    const at = below(3) === 0 && lineAt >= 0 ? lineAt + 2 : below(span + 1);
    const length = below(8);
    const kind = below(6);
    if (kind === 0) result = result.slice(0, at) + result.slice(at + length);
    else if (kind === 1 || kind === 4)
      result = result.slice(0, at) + pick(below, pieces) + result.slice(at);
    else if (kind === 2)
      result = result.slice(0, at) + String.fromCharCode(below(256)) + result.slice(at + 1);
    else if (kind === 3)
      result = result.slice(0, at) + result.slice(at, at + length) + result.slice(at);
    else result = result.slice(0, at) + pick(below, pieces) + result.slice(at + length);
  }
  return result;
}
