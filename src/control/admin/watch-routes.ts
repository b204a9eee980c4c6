import type { AdminResponse, AdminSink } from '../../platform/admin-listener.ts';
import { type PageFile, pageFile } from '../../platform/page-files.ts';
import type { Send } from '../live/watch.ts';
import { errorAnswer, jsonAnswer } from './answer.ts';
import type { AdminCall, AdminRoute } from './route.ts';
import { readTailFilter } from './tail-query.ts';

/** Open streams in all; each costs a little each second. */
const streamsMax = 32;

const eventStream = 'text/event-stream';

/**
 * Nothing of another origin, no code or style in the document, nobody frames us. `data:` is for the
 * page's own small pictures.
 */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page, and what it and the terminal look at. */
export const watchRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/',
    summary: 'The dashboard.',
    isChange: false,
    isPublic: true,
    answers: { 200: 'The page.', 404: 'It was not built.' },
    contentType: 'text/html',
    handle: (call) => servePage('index.html', call),
  },
  {
    method: 'GET',
    path: '/assets/{file}',
    summary: 'A file of the dashboard.',
    isChange: false,
    isPublic: true,
    answers: { 200: 'The file.', 404: 'No such file.' },
    contentType: 'application/octet-stream',
    handle: (call) => servePage(`assets/${call.parameters['file'] ?? ''}`, call),
  },
  {
    method: 'GET',
    path: '/v1/live',
    summary:
      'What the balancer does, as server-sent events: `shape` when names, weights or verdicts change, `tick` every second, `events` at first and `event` as each happens.',
    isChange: false,
    answers: { 200: 'The stream.', 503: 'Too many streams are open.' },
    contentType: eventStream,
    handle: ({ control }) => stream((send) => control.watch.live(send)),
  },
  {
    method: 'GET',
    path: '/v1/events',
    summary:
      'What happened to the balancer lately: verdicts, ejections, drains, reloads, workers; `after`: only those with greater ids.',
    isChange: false,
    answers: { 200: 'The events, oldest first.', 400: 'Not a number.' },
    handle: ({ control, query }) => {
      const after = query.get('after') ?? '0';
      if (/^[0-9]{1,15}$/.test(after)) {
        return jsonAnswer(200, { events: control.watch.events(Number(after)) });
      }
      return errorAnswer(400, {
        code: 'invalid-query',
        message: `Cannot use after as an id is required: current value is ${after.slice(0, 100)}`,
        path: 'after',
        requirement: 'an id',
        found: after.slice(0, 100),
      });
    },
  },
  {
    method: 'GET',
    path: '/v1/tail',
    summary:
      'Ended exchanges as server-sent events: `line` each, at most 50 a second and worker; `skipped` counts the others. Filters: `status`, `failed`, `pool`, `route`, `server`, `slow`, `text`.',
    isChange: false,
    answers: {
      200: 'The stream.',
      400: 'A filter cannot be read.',
      503: 'Too many streams are open.',
    },
    contentType: eventStream,
    handle: ({ control, query }) => {
      const filter = readTailFilter(query);
      if (!filter.ok) return errorAnswer(400, filter.error);
      return stream((send) => control.watch.tail(filter.value, send));
    },
  },
];

let openStreams = 0;

function stream(follow: (send: Send) => () => void): AdminResponse {
  if (openStreams >= streamsMax) {
    const message = `Cannot open a stream as at most ${streamsMax} may be open`;
    return errorAnswer(503, { code: 'too-many-streams', message });
  }
  const begin = (sink: AdminSink): (() => void) => {
    const stop = follow((event, json) => sink.write(`event: ${event}\ndata: ${json}\n\n`));
    openStreams++;
    return () => {
      openStreams--;
      stop();
    };
  };
  return { status: 200, headers: { 'content-type': eventStream }, body: '', stream: begin };
}

async function servePage(name: string, { request }: AdminCall): Promise<AdminResponse> {
  const file: PageFile | null = await pageFile(name, request.acceptEncoding ?? '');
  if (file === null) {
    const message =
      name === 'index.html'
        ? 'the dashboard was not built: `npm run build:dashboard` makes it'
        : 'there is no such file';
    return errorAnswer(404, { code: 'unknown-path', message });
  }
  const headers: Record<string, string> = {
    'content-type': file.contentType,
    vary: 'Accept-Encoding',
    'content-security-policy': pagePolicy,
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  };
  if (file.coding !== null) headers['content-encoding'] = file.coding;
  // Names of assets carry a hash of their content.
  if (name !== 'index.html') headers['cache-control'] = 'private, max-age=31536000, immutable';
  return { status: 200, headers, body: '', bytes: file.bytes };
}
