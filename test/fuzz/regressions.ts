import type { CaseFlags, Step } from './exchange-world.ts';
import { contentOf } from './grammar.ts';

/** A case that once found a fault; the test replays it for ever, with both ends of a case. */
export interface Regression {
  /** What was wrong. */
  readonly title: string;
  readonly flags: CaseFlags;
  readonly steps: readonly Step[];
}

const honest: CaseFlags = {
  isCalm: false,
  honestClients: true,
  honestServers: true,
  buffers: 2_048,
  connectionsMax: 0,
};

/** `head` of request 0-0 and its body in pieces as a driver delivers them. */
function uploads(head: string, bodyBytes = 100_000): Step[] {
  const body = contentOf('0-0', bodyBytes);
  const whole = `${head}X-Length: ${bodyBytes}\r\nContent-Length: ${bodyBytes}\r\n\r\n${body}`;
  const steps: Step[] = [];
  for (let at = 0; at < whole.length; at += 16_384) {
    steps.push(['client', 0, whole.slice(at, at + 16_384)]);
  }
  return steps;
}

const post = 'POST /t0-0 HTTP/1.1\r\nHost: h\r\n';
const answer: Step = ['server', 0, 'HTTP/1.1 204 No Content\r\nX-Tag: 0-0\r\nX-Length: 0\r\n\r\n'];

/** What the fuzzer of exchanges has found so far; add what it prints. */
export const regressions: readonly Regression[] = [
  {
    title: 'a body held back while its server was dialled goes on when it is connected',
    flags: { ...honest, isCalm: true },
    steps: [
      ['accept'],
      ['asks', 0, 'POST', 1, '0-0'],
      ...uploads(post),
      ['connect', 0],
      ['answered', 0],
      answer,
    ],
  },
  {
    title: 'a body held back while a dial failed goes on when another server has an idle link',
    flags: honest,
    steps: [
      // two idle links, to servers 0 and 1; the third server is the next one
      ['accept'],
      ['accept'],
      ['asks', 1, 'GET', 1, '1-0'],
      ['client', 1, 'GET /t1-0 HTTP/1.1\r\nHost: h\r\n\r\n'],
      ['connect', 0],
      ['answered', 0],
      ['server', 0, 'HTTP/1.1 204 No Content\r\nX-Tag: 1-0\r\nX-Length: 0\r\n\r\n'],
      ['asks', 0, 'POST', 1, '0-0'],
      ...uploads(post),
      ['serverDie', 1, 111],
      ['serverDie', 2, 111],
    ],
  },
  {
    title: 'a server that sends no 100 to a client that waits for it has a time-out',
    flags: honest,
    steps: [
      ['accept'],
      ['asks', 0, 'POST', 1, '0-0'],
      [
        'client',
        0,
        'POST /t0-0 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nX-Length: 5\r\nContent-Length: 5\r\n\r\n',
      ],
      ['connect', 0],
    ],
  },
  {
    title: 'a server that takes nothing of a request has a time-out',
    flags: honest,
    steps: [
      ['accept'],
      ['asks', 0, 'POST', 1, '0-0'],
      ...uploads(post, 300_000).slice(0, 2),
      ['serverHold', 0],
      ['connect', 0],
      ...uploads(post, 300_000).slice(2, -1),
    ],
  },
  {
    title: 'a second request in a buffer leaves the bytes of the first alone, which still wait',
    flags: { ...honest, honestClients: false, honestServers: false },
    steps: [
      ['accept'],
      [
        'client',
        0,
        'POST /t0-0 HTTP/1.1\r\nHost: h\r\nX-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n0-0.00\r\n0\r\nX-T: 1\r\nX-U: b, c\r\n\r\n' +
          'POST /t0-1 HTTP/1.1\r\nHost: h\r\nX-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n0-1.00\r\n0\r\n\r\n',
      ],
      ['serverHold', 0],
      ['connect', 0],
      ['server', 0, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
      ['serverRelease', 0],
    ],
  },
];
