import assert from 'node:assert/strict';
import { test } from 'node:test';
import { later, refusing, runWith, settle } from './fake-hooks.ts';
import type { FakeRun } from './fake-run.ts';
import { brief, get, ok } from './fake-run.ts';

for (const isLate of [false, true]) {
  test(`onResponse changes lines for the client${isLate ? ', later' : ''}`, async () => {
    const gate = later<void>();
    const run = runWith({
      onResponse: (response) => {
        response.setHeader('X-Served-By', `${response.server} ${response.status}`);
        response.removeHeader('Server');
        return isLate ? gate.promise : undefined;
      },
    });
    const client = run.client(get);
    const server = run.server(0);
    server.receive('HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 6\r\n\r\nab');
    if (isLate) {
      assert.equal(client.text, '');
      assert.equal(server.isPaused, true);
      server.receive('cd');
      gate.resolve();
      await settle(run);
      assert.equal(server.isPaused, false);
    }
    server.receive(isLate ? 'ef' : 'cdef');
    assert.match(client.text, /\r\nX-Served-By: 10\.0\.0\.1:80 200\r\n[\s\S]*\r\n\r\nabcdef$/);
    assert.doesNotMatch(client.text, /Server: x/);
    assert.equal(run.inFlight, 0);
    // The link is kept and used again.
    client.receive(get);
    assert.equal(run.dials, 2);
  });
}

const endings: readonly (readonly [string, string, (run: FakeRun) => void, RegExp])[] = [
  [
    'FIN behind a body up to the link’s end',
    'HTTP/1.1 200 OK\r\n\r\nabc',
    (run) => run.server(0).receiveEnd(),
    /abc\r\n0\r\n\r\n$/,
  ],
  [
    'FIN behind a whole body',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    (run) => run.server(0).receiveEnd(),
    /\r\n\r\nabc$/,
  ],
  [
    'a reset behind a whole body',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    (run) => run.server(0).die(104),
    /\r\n\r\nabc$/,
  ],
  [
    'bytes beyond the body',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    (run) => run.server(0).receive('more'),
    /\r\n\r\nabc$/,
  ],
  ['no body', 'HTTP/1.1 204 No Content\r\n\r\n', () => {}, /^HTTP\/1\.1 204 [\s\S]*\r\n\r\n$/],
];
for (const [name, answer, change, expected] of endings) {
  test(`a held answer with ${name} reaches the client whole`, async () => {
    const gate = later<void>();
    const run = runWith({ onResponse: () => gate.promise });
    const client = run.client(get);
    run.server(0).receive(answer);
    change(run);
    assert.equal(client.text, '');
    gate.resolve();
    await settle(run);
    assert.match(client.text, expected);
    assert.equal(run.inFlight, 0);
    client.text = '';
    client.receive(get);
    run.fake.driver.settle();
    assert.equal(run.inFlight, 1, 'the next request is served');
  });
}

test('a held answer whose link dies within its body is cut for the client', async () => {
  const gate = later<void>();
  const run = runWith({ onResponse: () => gate.promise });
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
  run.server(0).die(104);
  gate.resolve();
  await settle(run);
  assert.match(client.text, /\r\n\r\nabc$/);
  assert.equal(client.isOpen, false);
  assert.equal(run.inFlight, 0);
});

for (const onFailure of ['pass', 'refuse'] as const) {
  for (const isLate of [false, true]) {
    test(`onResponse fails${isLate ? ' later' : ''}: ${onFailure}`, async () => {
      const gate = later<void>();
      const onResponse = (): Promise<void> | undefined => {
        if (isLate) return gate.promise;
        throw new Error('broken on purpose');
      };
      const run = runWith({ onResponse }, { ...refusing, onFailure });
      const client = run.client(get);
      run.server(0).receive(ok);
      if (isLate) gate.reject(new Error('broken on purpose'));
      await settle(run);
      if (onFailure === 'pass') assert.equal(brief(client.text), '200 OK|ok');
      else assert.match(brief(client.text), /^500 .*\|hook-failed/);
      assert.equal(run.count('route', 'hookFailures'), 1);
      assert.equal(run.inFlight, 0);
    });
  }
}

test('a client that goes while its answer is held: buffers and places are given back', async () => {
  const gate = later<void>();
  const run = runWith({ onResponse: () => gate.promise });
  const before = run.fake.driver.buffers.inUse;
  const client = run.client(get);
  run.server(0).receive('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
  client.die(104);
  gate.resolve();
  await settle(run);
  assert.equal(run.inFlight, 0);
  assert.equal(run.fake.driver.buffers.inUse, before);
});
