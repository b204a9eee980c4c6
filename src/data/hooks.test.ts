import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HookDecision, HookModule, HookRequest } from '../model/hooks.ts';
import { faults, later, refusing, runWith, settle } from './fake-hooks.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { brief, FakeRun, get, ok } from './fake-run.ts';

const post = 'POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n';

test('onRequest sees the request and changes its lines and path', () => {
  let seen: HookRequest | null = null;
  const run = runWith({
    onRequest: (request) => {
      seen = request;
      request.setHeader('X-User', 'anna');
      request.setHeader('x-user', 'ben');
      request.addHeader('X-More', '1');
      request.removeHeader('X-Secret');
      request.setPath('/new%20path');
    },
  });
  run.client(
    'GET /a%2Db?q=1 HTTP/1.1\r\nHost: H.Test:80\r\nX-Secret: s\r\nX_User: forged\r\nCookie: a=1; id=7\r\n\r\n',
  );
  const text = run.server(0).text;
  assert.match(text, /^GET \/new%20path\?q=1 HTTP\/1\.1\r\n/);
  assert.match(text, /\r\nX-User: ben\r\n|\r\nx-user: ben\r\n/);
  assert.match(text, /\r\nX-More: 1\r\n/);
  assert.doesNotMatch(text, /anna|forged|X-Secret/);
  assert.ok(seen !== null);
  const { method, host, path, query, client, route } = seen as HookRequest;
  assert.deepEqual(
    { method, host, path, query, client, route },
    {
      method: 'GET',
      host: 'h.test',
      path: '/a-b',
      query: 'q=1',
      client: '127.0.0.1',
      route: 'all',
    },
  );
  assert.equal((seen as HookRequest).cookie('id'), '7');
  assert.equal((seen as HookRequest).header('X-SECRET'), 's');
  assert.equal((seen as HookRequest).header('absent'), null);
});

const decisions: readonly (readonly [HookDecision, string, RegExp])[] = [
  [
    { status: 401, body: 'who?', headers: { 'WWW-Authenticate': 'Basic' } },
    '401 Unauthorized|who?',
    /\r\nWWW-Authenticate: Basic\r\n/,
  ],
  [
    { redirect: 'https://login.test/?to=x' },
    '302 Found|',
    /\r\nLocation: https:\/\/login\.test\/\?to=x\r\n/,
  ],
  [{ redirect: '/x', status: 308 }, '308 Permanent Redirect|', /\r\nLocation: \/x\r\n/],
];
for (const isLate of [false, true]) {
  for (const [decision, answer, line] of decisions) {
    test(`onRequest answers ${answer} itself${isLate ? ', later' : ''}`, async () => {
      const run = runWith({ onRequest: () => (isLate ? Promise.resolve(decision) : decision) });
      const client = run.client(get);
      await settle(run);
      assert.equal(brief(client.text), answer);
      assert.match(client.text, line);
      assert.equal(run.dials, 0);
      assert.equal(run.count('route', 'hookFailures'), 0);
      // The link lives on.
      client.text = '';
      client.receive(get);
      await settle(run);
      assert.equal(brief(client.text), answer);
    });
  }
}

test('onRequest chooses another pool', () => {
  const run = runWith({ onRequest: (request) => request.choosePool('other') });
  run.client(get);
  run.server(0).receive(ok);
  assert.equal(run.count('pool', 'requests', 1), 1);
  assert.equal(run.count('pool', 'requests', 0), 0);
});

test('a suspended request waits with its body and with those behind it, and then goes on', async () => {
  const gates = [later<void>(), later<void>()];
  let calls = 0;
  const run = runWith({ onRequest: () => gates[calls++]!.promise });
  const client = run.client(`${post}ab`);
  client.receive(`cd${get}`);
  assert.equal(run.dials, 0);
  assert.equal(client.isPaused, true);
  gates[0]!.resolve();
  await settle(run);
  assert.match(run.server(0).text, /^POST \/p HTTP[\s\S]*\r\n\r\nabcd$/);
  run.server(0).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
  assert.equal(calls, 2);
  gates[1]!.resolve();
  await settle(run);
  assert.match(run.server(1).text, /^GET \/ HTTP/);
  run.server(1).receive(ok);
  assert.equal(client.text.split('HTTP/1.1 200 OK').length, 3);
  assert.equal(client.isPaused, false);
  assert.equal(run.inFlight, 0);
});

test('a suspended request takes body bytes that come after the decision', async () => {
  const gate = later<void>();
  const run = runWith({ onRequest: () => gate.promise });
  const client = run.client(post);
  gate.resolve();
  await settle(run);
  client.receive('abcd');
  assert.match(run.server(0).text, /\r\n\r\nabcd$/);
  run.server(0).receive(ok);
  assert.equal(brief(client.text), '200 OK|ok');
});

for (const onFailure of ['pass', 'refuse'] as const) {
  for (const way of ['throws', 'rejects', 'is late', 'gives nonsense'] as const) {
    test(`onRequest ${way}: ${onFailure}`, async () => {
      const late = later<void>();
      const ways: Record<typeof way, () => unknown> = {
        throws: () => {
          throw new Error('broken on purpose');
        },
        rejects: () => Promise.reject(new Error('broken on purpose')),
        'is late': () => late.promise,
        'gives nonsense': () => ({ status: 'x' }),
      };
      let signal: AbortSignal | null = null;
      const onRequest = (request: HookRequest): HookDecision => {
        signal = request.signal;
        return ways[way]() as HookDecision;
      };
      const run = runWith({ onRequest }, { ...refusing, onFailure });
      const client = run.client(get);
      if (way === 'is late') {
        run.advance(900);
        assert.equal(client.text, '');
        run.advance(200);
        assert.equal((signal as AbortSignal | null)?.aborted, true);
      } else await settle(run);
      if (onFailure === 'refuse') {
        const status = way === 'is late' ? '503 Service' : '500 Internal';
        assert.match(brief(client.text), new RegExp(`^${status}.*\\|hook-`));
      } else {
        run.server(0).receive(ok);
        assert.equal(brief(client.text), '200 OK|ok');
      }
      assert.equal(run.count('route', 'hookFailures'), 1);
      assert.equal(faults(run).length, 1);
      assert.match(faults(run)[0]!, /^onRequest of hooks\.ts, route all: /);
      // What comes too late changes nothing.
      const before = client.text;
      late.resolve();
      await settle(run);
      assert.equal(client.text, before);
      assert.equal(run.inFlight, 0);
    });
  }
}

test('a client that goes while a hook is waited for: the signal is aborted, nothing goes on', async () => {
  const gate = later<void>();
  let signal: AbortSignal | null = null;
  const run = runWith({
    onRequest: (request) => {
      signal = request.signal;
      return gate.promise;
    },
  });
  run.client(get).die(104);
  assert.equal((signal as AbortSignal | null)?.aborted, true);
  gate.resolve();
  await settle(run);
  run.advance(2000);
  assert.equal(run.dials, 0);
  assert.equal(run.count('route', 'hookFailures'), 0);
  assert.equal(run.count('listener', 'aborted'), 1);
});

test('headers that frame, forward or break a line are refused', () => {
  const bad: readonly (readonly [string, string])[] = [
    ['Content-Length', '5'],
    ['Transfer-Encoding', 'chunked'],
    ['Connection', 'x'],
    ['X-Forwarded-For', '1.2.3.4'],
    ['Host', 'x'],
    ['content_length', '1'],
    ['X-A', 'a\r\nX-B: b'],
    ['X-A', 'ünï\u2028'],
    ['X A', 'b'],
  ];
  let refused = 0;
  const run = runWith({
    onRequest: (request) => {
      for (const [name, value] of bad) {
        assert.throws(() => request.setHeader(name, value), TypeError, name);
        refused++;
      }
    },
  });
  run.client(get);
  assert.equal(refused, bad.length);
  assert.deepEqual(faults(run), []);
});

test('onPick sees eligible servers and takes some out, also for the retry', () => {
  const picks: string[] = [];
  const run = runWith({
    onPick: ({ servers, attempt, exclude, pool }) => {
      picks.push(`${pool} ${attempt}: ${servers.map(({ address }) => address).join(' ')}`);
      exclude('10.0.0.1:80');
    },
  });
  const client = run.client(get);
  assert.equal(run.server(0, false).isConnected, false);
  run.server(0, false).die(111);
  // Its only other server was taken out.
  assert.equal(brief(client.text).slice(0, 3), '502');
  assert.deepEqual(picks, ['p 1: 10.0.0.1:80 10.0.0.2:80', 'p 2: ']);
});

test('onPick that gives a promise fails', () => {
  const run = runWith({ onPick: (() => Promise.reject(new Error('x'))) as () => void });
  const client = run.client(get);
  assert.match(brief(client.text), /^500 .*\|hook-failed/);
  assert.match(faults(run)[0]!, /onPick must be synchronous/);
});

test('hooks of the configuration run before those of the route; an answer ends the row', () => {
  const calls: string[] = [];
  const [route] = fakeSnapshot(1).routes;
  const own: HookModule = { ...refusing, path: '/etc/own.ts' };
  const run = new FakeRun(1, { hooks: refusing, routes: [{ ...route!, hooks: own }] }, undefined, {
    onRequest: (request) => void calls.push(request.notes.size === 0 ? 'x' : 'y'),
  });
  run.client(get);
  assert.equal(calls.length, 2);
});

test('an error of ours behind a hook is not taken for one of the hook', async () => {
  const gate = later<void>();
  const run = runWith({ onRequest: () => gate.promise });
  run.client(get);
  const dial = run.fake.driver.dial;
  run.fake.driver.dial = () => {
    throw new Error('ours');
  };
  const seen = later<unknown>();
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => seen.resolve(error));
  gate.resolve();
  const error = await seen.promise;
  for (const listener of listeners) process.on('uncaughtException', listener);
  run.fake.driver.dial = dial;
  assert.equal((error as Error).message, 'ours');
  assert.deepEqual(faults(run), []);
});
