import type { Script } from '../raw-origin.ts';
import type { Outcome, RawCase } from '../raw-vectors.ts';
import { field, fieldsNamed, type Response } from '../response-reader.ts';
import { get } from './build.ts';

/** 502 by the balancer, and the origin's bytes are not shown. */
function badGateway(...statuses: number[]): Outcome {
  return {
    statuses: [statuses.length === 0 ? [502] : statuses],
    closes: null,
    seen: null,
    holds: ([answer]) => answer !== undefined && field(answer, 'x-evil') === null,
  };
}

/** Relayed whole; `holds` looks at it. */
function relayed(status: number, holds: (answer: Response) => boolean = () => true): Outcome {
  return {
    statuses: [[status]],
    closes: null,
    seen: null,
    holds: ([answer]) => answer?.isComplete === true && holds(answer),
  };
}

/** The head had gone out: the client must see that the message is incomplete. */
const visiblyCut: Outcome = {
  statuses: [[200]],
  closes: true,
  seen: null,
  holds: ([answer]) => answer?.isComplete === false,
};

const body = (text: string): ((answer: Response) => boolean) => {
  return (answer) => answer.body.toString('latin1') === text;
};

const ok = (fields: string, content: string): string =>
  `HTTP/1.1 200 OK\r\n${fields}\r\n${content}`;

interface Row {
  readonly answer: string;
  readonly allowed: readonly Outcome[];
  readonly ends?: Script['ends'];
  readonly grade?: 'A' | 'B';
  readonly request?: string;
  readonly method?: string;
}

/** Answers that must become 502: nothing of them was relayed yet. */
const invalid: Record<string, string> = {
  'cl-te': ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'cl-differs': ok('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
  'cl-list-differs': ok('Content-Length: 5, 6\r\n', 'hello'),
  'cl-plus': ok('Content-Length: +5\r\n', 'hello'),
  'cl-minus': ok('Content-Length: -5\r\n', 'hello'),
  'cl-hex': ok('Content-Length: 0x5\r\n', 'hello'),
  'cl-empty': ok('Content-Length: \r\n', 'hello'),
  'cl-letters': ok('Content-Length: five\r\n', 'hello'),
  'cl-2-to-64': ok('Content-Length: 18446744073709551621\r\n', 'hello'),
  'cl-2-to-53': ok('Content-Length: 9007199254740993\r\n', 'hello'),
  'cl-point': ok('Content-Length: 5.0\r\n', 'hello'),
  'te-unknown': ok('Transfer-Encoding: xchunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
  'te-gzip-chunked': ok('Transfer-Encoding: gzip, chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
  'te-chunked-x': ok('Transfer-Encoding: chunked, x\r\n', '5\r\nhello\r\n0\r\n\r\n'),
  'te-twice': ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'te-quoted': ok('Transfer-Encoding: "chunked"\r\n', '5\r\nhello\r\n0\r\n\r\n'),
  'te-http-1-0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'nul-in-value': ok('X-Evil: a\x00b\r\nContent-Length: 2\r\n', 'ok'),
  'bare-cr-in-value': ok('X-Name: a\rSet-Cookie: x=y\r\nContent-Length: 2\r\n', 'ok'),
  'bare-lf-line': ok('X-Evil: a\nContent-Length: 2\r\n', 'ok'),
  'all-lf': 'HTTP/1.1 200 OK\nX-Evil: a\nContent-Length: 2\n\nok',
  'empty-name': ok(': x\r\nContent-Length: 2\r\n', 'ok'),
  'no-colon': ok('NoColon\r\nContent-Length: 2\r\n', 'ok'),
  'space-in-name': ok('X Evil: a\r\nContent-Length: 2\r\n', 'ok'),
  'high-byte-in-name': ok('X-\xe4: a\r\nContent-Length: 2\r\n', 'ok'),
  'status-099': 'HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok',
  'status-000': 'HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nok',
  'status-4-digits': 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok',
  'status-2-digits': 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok',
  'status-letters': 'HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\nok',
  'status-negative': 'HTTP/1.1 -20 OK\r\nContent-Length: 2\r\n\r\nok',
  'status-missing': 'HTTP/1.1\r\nContent-Length: 2\r\n\r\nok',
  'status-two-spaces': 'HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok',
  icy: 'ICY 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'version-2': 'HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'version-lower': 'http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'version-junk': 'HTTP/1.x 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'leading-space': ' HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  tls: '\x15\x03\x03\x00\x02\x02\x46',
  'http-0-9': 'just some text that is no head at all\r\n\r\n',
  'reason-nul': 'HTTP/1.1 200 O\x00K\r\nContent-Length: 2\r\n\r\nok',
  'reason-bare-cr': 'HTTP/1.1 200 O\rX-Evil: y\r\nContent-Length: 2\r\n\r\nok',
  'folded-te': ok('Transfer-Encoding:\r\n chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
  'head-too-large': ok(
    `${'X-Evil: yyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(20_000)}Content-Length: 2\r\n`,
    'ok',
  ),
  'head-without-end': `HTTP/1.1 200 OK\r\nX-Evil: ${'y'.repeat(600_000)}`,
  'unasked-101':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nraw',
  'head-cut': 'HTTP/1.1 200 OK\r\nContent-Len',
};

const invalidCases: RawCase[] = Object.entries(invalid).map(([name, answer]) => ({
  id: `r-${name}`,
  grade: 'A',
  source: 'RFC 9112 §4, §5, §6.3; RFC 9110 §5.5',
  bytes: get('', '/r'),
  script: { onRequest: answer, ends: 'fin' },
  allowed: [badGateway()],
}));

/** Chunked answers that are broken behind their head. */
const brokenChunks: Record<string, string> = {
  'size-plus': '+5\r\nhello\r\n0\r\n\r\n',
  'size-prefix': '0x5\r\nhello\r\n0\r\n\r\n',
  'size-empty': '\r\nhello\r\n0\r\n\r\n',
  'size-huge': '10000000000000005\r\nhello\r\n0\r\n\r\n',
  'size-lf': '5\nhello\r\n0\r\n\r\n',
  'data-lf': '5\r\nhello\n0\r\n\r\n',
  'data-late': '5\r\nhelloXX\r\n0\r\n\r\n',
  'extension-lf': '5;\nhello\r\n0\r\n\r\n',
  'trailer-no-colon': '5\r\nhello\r\n0\r\nNoColon\r\n\r\n',
  'cut-in-data': '5\r\nhel',
  'cut-before-last': '5\r\nhello\r\n',
  'cut-in-last': '5\r\nhello\r\n0\r\n',
  'second-size-bad': '5\r\nhello\r\nzz\r\nhello\r\n0\r\n\r\n',
};

const chunkCases: RawCase[] = Object.entries(brokenChunks).map(([name, content]) => ({
  id: `r-chunk-${name}`,
  grade: 'A',
  source: 'RFC 9112 §7.1, §8: an incomplete answer must look incomplete',
  bytes: get('', '/r'),
  script: { onRequest: ok('Transfer-Encoding: chunked\r\n', content), ends: 'fin' },
  allowed: [visiblyCut, badGateway()],
}));

const noBody = (answer: Response): boolean =>
  answer.body.length === 0 && fieldsNamed(answer, 'transfer-encoding').length === 0;

const rows: Record<string, Row> = {
  length: { answer: ok('Content-Length: 5\r\n', 'hello'), allowed: [relayed(200, body('hello'))] },
  chunked: {
    answer: ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    allowed: [relayed(200, body('hello'))],
  },
  'chunked-extension': {
    answer: ok('Transfer-Encoding: chunked\r\n', '5;x="y"\r\nhello\r\n0;z\r\n\r\n'),
    allowed: [relayed(200, body('hello'))],
  },
  'chunked-trailer': {
    answer: ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'),
    allowed: [relayed(200, body('hello'))],
  },
  'close-delimited': {
    answer: ok('', 'hello'),
    ends: 'fin',
    allowed: [relayed(200, body('hello'))],
  },
  'close-delimited-reset': {
    answer: ok('', 'hello'),
    ends: 'reset',
    allowed: [visiblyCut, badGateway(), { ...relayed(200), closes: true }],
  },
  'http-1-0-close-delimited': {
    answer: 'HTTP/1.0 200 OK\r\n\r\nhello',
    ends: 'fin',
    allowed: [relayed(200, body('hello'))],
  },
  'http-1-0-length': {
    answer: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    ends: 'fin',
    allowed: [relayed(200, body('hello'))],
  },
  'no-reason': {
    answer: 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok',
    allowed: [relayed(200, (answer) => answer.startLine.startsWith('HTTP/1.1 200 '))],
  },
  'no-reason-no-space': {
    answer: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
    allowed: [relayed(200, (answer) => answer.startLine.startsWith('HTTP/1.1 200 ')), badGateway()],
  },
  'status-unknown': {
    answer: 'HTTP/1.1 299 Strange\r\nContent-Length: 2\r\n\r\nok',
    allowed: [relayed(299, body('ok'))],
  },
  'status-599': {
    answer: 'HTTP/1.1 599 X\r\nContent-Length: 2\r\n\r\nok',
    allowed: [relayed(599, body('ok'))],
  },
  'status-999': {
    answer: 'HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok',
    allowed: [relayed(999, body('ok')), badGateway()],
  },
  'cl-same-twice': {
    answer: ok('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
    allowed: [relayed(200, body('hello')), badGateway()],
  },
  'cl-leading-zeros': {
    answer: ok('Content-Length: 0005\r\n', 'hello'),
    allowed: [relayed(200, (answer) => field(answer, 'content-length') === '5'), badGateway()],
  },
  'space-before-colon': {
    answer: ok('X-Name : a\r\nContent-Length: 2\r\n', 'ok'),
    allowed: [relayed(200, (answer) => field(answer, 'x-name') === 'a'), badGateway()],
  },
  folded: {
    answer: ok('X-Name: a\r\n b\r\nContent-Length: 2\r\n', 'ok'),
    allowed: [relayed(200, (answer) => /^a +b$/.test(field(answer, 'x-name') ?? '')), badGateway()],
  },
  'cl-cut': {
    answer: ok('Content-Length: 10\r\n', 'hello'),
    ends: 'fin',
    allowed: [visiblyCut, badGateway()],
  },
  'cl-cut-reset': {
    answer: ok('Content-Length: 10\r\n', 'hello'),
    ends: 'reset',
    allowed: [visiblyCut, badGateway()],
  },
  'excess-behind-length': {
    answer: ok(
      'Content-Length: 2\r\n',
      'okHTTP/1.1 200 OK\r\nX-Evil: y\r\nContent-Length: 4\r\n\r\nevil',
    ),
    allowed: [relayed(200, body('ok'))],
  },
  'second-answer': {
    answer: ok('Content-Length: 2\r\n', 'ok').repeat(2),
    allowed: [relayed(200, body('ok'))],
  },
  'excess-behind-chunked': {
    answer: ok(
      'Transfer-Encoding: chunked\r\n',
      '2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
    ),
    allowed: [relayed(200, body('ok'))],
  },
  'status-204-with-body': {
    answer: 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil',
    allowed: [relayed(204, noBody), badGateway()],
  },
  'status-204-chunked': {
    answer: 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    allowed: [relayed(204, noBody), badGateway()],
  },
  'status-304-with-length': {
    answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\nETag: "x"\r\n\r\n',
    allowed: [relayed(304, noBody)],
  },
  'status-304-with-body': {
    answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil',
    allowed: [relayed(304, noBody)],
  },
  'status-205-with-body': {
    answer: 'HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n',
    allowed: [relayed(205, noBody)],
  },
  'head-with-body': {
    request: 'HEAD /r HTTP/1.1\r\nHost: lb.test\r\n\r\n',
    method: 'HEAD',
    answer: ok('Content-Length: 4\r\n', 'evil'),
    allowed: [relayed(200, noBody)],
  },
  'head-length-kept': {
    request: 'HEAD /r HTTP/1.1\r\nHost: lb.test\r\n\r\n',
    method: 'HEAD',
    answer: ok('Content-Length: 1234\r\n', ''),
    allowed: [relayed(200, (answer) => field(answer, 'content-length') === '1234')],
  },
  'head-chunked': {
    request: 'HEAD /r HTTP/1.1\r\nHost: lb.test\r\n\r\n',
    method: 'HEAD',
    answer: ok('Transfer-Encoding: chunked\r\n', ''),
    allowed: [relayed(200, (answer) => answer.body.length === 0)],
  },
  'interim-100-unasked': {
    answer: `HTTP/1.1 100 Continue\r\n\r\n${ok('Content-Length: 2\r\n', 'ok')}`,
    allowed: [relayed(200, body('ok'))],
  },
  'interim-103': {
    answer: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('Content-Length: 2\r\n', 'ok')}`,
    allowed: [
      relayed(
        200,
        (answer) => answer.interim.some(({ status }) => status === 103) && body('ok')(answer),
      ),
    ],
  },
  'interim-103-http-1-0': {
    request: 'GET /r HTTP/1.0\r\nHost: lb.test\r\n\r\n',
    answer: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('Content-Length: 2\r\n', 'ok')}`,
    allowed: [relayed(200, (answer) => answer.interim.length === 0 && body('ok')(answer))],
  },
  'interim-with-length': {
    answer: `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n${ok('Content-Length: 2\r\n', 'ok')}`,
    allowed: [relayed(200, body('ok')), badGateway()],
  },
  'interim-flood': {
    answer: `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(20_000)}${ok('Content-Length: 2\r\n', 'ok')}`,
    ends: 'fin',
    grade: 'A',
    allowed: [badGateway(), { statuses: [], closes: true, seen: null }],
  },
  'chunked-to-http-1-0': {
    request: 'GET /r HTTP/1.0\r\nHost: lb.test\r\n\r\n',
    answer: ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    grade: 'A',
    allowed: [relayed(200, (answer) => answer.framing !== 'chunked' && body('hello')(answer))],
  },
  'hop-by-hop-removed': {
    answer: ok(
      'Connection: X-Secret, keep-alive\r\nX-Secret: y\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nContent-Length: 2\r\n',
      'ok',
    ),
    allowed: [
      relayed(200, (answer) =>
        ['x-secret', 'keep-alive', 'proxy-connection'].every(
          (name) => field(answer, name) === null,
        ),
      ),
    ],
  },
  'connection-names-length': {
    answer: ok('Connection: Content-Length\r\nContent-Length: 5\r\n', 'hello'),
    grade: 'A',
    allowed: [relayed(200, body('hello')), badGateway()],
  },
  'connection-close': {
    answer: ok('Connection: close\r\nContent-Length: 5\r\n', 'hello'),
    ends: 'fin',
    allowed: [{ ...relayed(200, body('hello')), closes: false }],
  },
  'date-added': {
    answer: ok('Content-Length: 2\r\n', 'ok'),
    allowed: [relayed(200, (answer) => fieldsNamed(answer, 'date').length === 1)],
  },
  'date-kept': {
    answer: ok('Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n', 'ok'),
    allowed: [
      relayed(
        200,
        (answer) => fieldsNamed(answer, 'date').join() === 'Sun, 06 Nov 1994 08:49:37 GMT',
      ),
    ],
  },
  'set-cookie-order': {
    answer: ok(
      'Set-Cookie: a=1\r\nX-Y: z\r\nSet-Cookie: b=2\r\nset-cookie: c=3\r\nContent-Length: 2\r\n',
      'ok',
    ),
    allowed: [relayed(200, (answer) => fieldsNamed(answer, 'set-cookie').join() === 'a=1,b=2,c=3')],
  },
  'proto-names': {
    answer: ok('__proto__: x\r\nconstructor: y\r\nContent-Length: 2\r\n', 'ok'),
    grade: 'A',
    allowed: [
      relayed(
        200,
        (answer) => field(answer, '__proto__') === 'x' && field(answer, 'constructor') === 'y',
      ),
    ],
  },
  'authenticate-kept': {
    answer:
      'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="a, b"\r\nContent-Length: 2\r\n\r\nno',
    allowed: [relayed(401, (answer) => field(answer, 'www-authenticate') === 'Basic realm="a, b"')],
  },
  'high-bytes-in-value': {
    answer: ok('X-Name: gr\xfc\xdfe\r\nContent-Length: 2\r\n', 'ok'),
    allowed: [relayed(200, (answer) => field(answer, 'x-name') === 'gr\xfc\xdfe')],
  },
  'leading-empty-line': {
    answer: `\r\n${ok('Content-Length: 2\r\n', 'ok')}`,
    allowed: [badGateway(), relayed(200, body('ok'))],
  },
  'nothing-then-fin': { answer: '', ends: 'fin', grade: 'A', allowed: [badGateway()] },
  'nothing-then-reset': { answer: '', ends: 'reset', grade: 'A', allowed: [badGateway()] },
  'te-any-case': {
    answer: ok('transfer-ENCODING: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    allowed: [relayed(200, body('hello'))],
  },
  'large-length': {
    answer: ok('Content-Length: 300000\r\n', 'x'.repeat(300_000)),
    allowed: [relayed(200, body('x'.repeat(300_000)))],
  },
  'upgrade-200-is-no-tunnel': {
    request: get('Connection: Upgrade\r\nUpgrade: foo\r\n', '/r'),
    answer: ok('Content-Length: 2\r\n', 'ok'),
    grade: 'A',
    allowed: [relayed(200, body('ok'))],
  },
  'upgrade-other-protocol': {
    request: get('Connection: Upgrade\r\nUpgrade: foo\r\n', '/r'),
    answer: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bar\r\n\r\n',
    ends: 'fin',
    grade: 'A',
    allowed: [badGateway()],
  },
  'upgrade-101-without-field': {
    request: get('Connection: Upgrade\r\nUpgrade: foo\r\n', '/r'),
    answer: 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    ends: 'fin',
    allowed: [badGateway()],
  },
};

const rowCases: RawCase[] = Object.entries(rows).map(([name, row]) => ({
  id: `r-${name}`,
  grade: row.grade ?? 'B',
  source: 'RFC 9110 §6.4, §7.6, §8.6, §15; RFC 9112 §6.3, §9.2',
  bytes: row.request ?? get('', '/r'),
  ...(row.method === undefined ? {} : { methods: [row.method] }),
  script: { onRequest: row.answer, ...(row.ends === undefined ? {} : { ends: row.ends }) },
  allowed: row.allowed,
}));

/** What an origin may send, and what its client gets. */
export const responseCases: readonly RawCase[] = [...invalidCases, ...chunkCases, ...rowCases];
