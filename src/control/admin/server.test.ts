import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { AdminSink } from '../../platform/admin-listener.ts';
import { listenAdmin } from '../../platform/admin-listener.ts';
import { systemClock } from '../../platform/clock.ts';
import { configFileNames } from '../config/load.ts';
import { FakeControl } from './fake-control.ts';
import { configurationNames, findInstance, instanceId } from './instance.ts';
import type { AdminOptions, AdminServer } from './server.ts';
import { startAdmin } from './server.ts';

async function makeDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'evenkeel-admin-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function start(
  t: TestContext,
  directory: string,
  more: Partial<AdminOptions> = {},
): Promise<AdminServer> {
  const server = await startAdmin({
    control: new FakeControl(),
    clock: systemClock,
    configFile: join(directory, 'evenkeel.yaml'),
    pid: process.pid,
    supervisorPid: null,
    socketPath: null,
    address: null,
    token: null,
    listeners: [':8080'],
    version: '0.1.0',
    areFaultsArmed: false,
    log: () => {},
    directories: [join(directory, 'run')],
    ...more,
  });
  t.after(() => server.close());
  return server;
}

interface Asking {
  readonly socketPath?: string;
  readonly port?: number;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

function ask(asking: Asking): Promise<{ status: number; body: string }> {
  const { body, ...options } = asking;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', agent: false, path: '/healthz', ...options },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test('the socket and its files are ours alone, and go with the server', async (t) => {
  const directory = await makeDirectory(t);
  const server = await start(t, directory, { address: { host: '127.0.0.1', port: 0 } });
  const { files } = server;
  assert.equal(files.id, instanceId(join(directory, 'evenkeel.yaml'), process.pid));
  assert.equal(await modeOf(join(directory, 'run')), 0o700);
  assert.equal(await modeOf(files.socketPath), 0o600);
  assert.equal(await modeOf(files.tokenPath), 0o600);
  assert.equal((await ask({ socketPath: files.socketPath })).status, 200);
  const found = await findInstance({
    config: join(directory, 'evenkeel.yaml'),
    cwd: '/',
    env: {},
    directories: [join(directory, 'run')],
  });
  assert.deepEqual(found, { ok: true, socket: files.socketPath });
  await server.close();
  await assert.rejects(stat(files.socketPath));
});

test('over TCP the token of the file allows changes and is kept over a restart', async (t) => {
  const directory = await makeDirectory(t);
  const address = { host: '127.0.0.1', port: 0 };
  const first = await start(t, directory, { address });
  const token = (await readFile(first.files.tokenPath, 'utf8')).trim();
  const port = first.port ?? 0;
  const change = { port, method: 'POST', path: '/v1/reopen' };
  assert.equal((await ask(change)).status, 401);
  assert.equal(
    (await ask({ ...change, headers: { authorization: `Bearer ${token}` } })).status,
    200,
  );
  await first.close();
  assert.match(
    await readFile(first.files.auditPath, 'utf8'),
    /"outcome":"token-required"[\s\S]*"done"/,
  );
  const second = await start(t, directory, { address });
  assert.equal((await readFile(second.files.tokenPath, 'utf8')).trim(), token);
});

test('a stale socket is replaced, a living one is not stolen', async (t) => {
  const directory = await makeDirectory(t);
  const first = await start(t, directory);
  const second = await start(t, directory);
  assert.equal(second.files.id, `${first.files.id}-${process.pid}`);
  assert.equal((await ask({ socketPath: first.files.socketPath })).status, 200);
  assert.equal((await ask({ socketPath: second.files.socketPath })).status, 200);
  const config = join(directory, 'evenkeel.yaml');
  const found = await findInstance({
    config,
    cwd: '/',
    env: {},
    directories: [join(directory, 'run')],
  });
  assert.ok(!found.ok && found.problem.includes(second.files.socketPath));
  await second.close();
  await first.close();
  await writeFile(first.files.socketPath, '');
  const third = await start(t, directory);
  assert.equal(third.files.socketPath, first.files.socketPath);
});

test('two that start at the same time get sockets of their own', async (t) => {
  const directory = await makeDirectory(t);
  const [one, two] = await Promise.all([start(t, directory), start(t, directory, { pid: 1 })]);
  assert.notEqual(one.files.socketPath, two.files.socketPath);
  assert.equal((await ask({ socketPath: one.files.socketPath })).status, 200);
  assert.equal((await ask({ socketPath: two.files.socketPath })).status, 200);
});

test('findInstance() takes --socket, EVENKEEL_SOCKET, the working directory, then the only one', async (t) => {
  const directory = await makeDirectory(t);
  const directories = [join(directory, 'run')];
  const none = await findInstance({ cwd: directory, env: {}, directories });
  assert.ok(!none.ok && none.problem.includes('no balancer'));
  const flags = await start(t, directory, { configFile: null });
  const only = await findInstance({ cwd: '/', env: {}, directories });
  assert.deepEqual(only, { ok: true, socket: flags.files.socketPath });
  await writeFile(join(directory, 'evenkeel.yaml'), '');
  const file = await start(t, directory);
  const here = await findInstance({ cwd: directory, env: {}, directories });
  assert.deepEqual(here, { ok: true, socket: file.files.socketPath });
  const several = await findInstance({ cwd: '/', env: {}, directories });
  assert.ok(!several.ok && several.problem.includes('choose one'));
  const env = { EVENKEEL_SOCKET: flags.files.socketPath };
  const byEnv = await findInstance({ cwd: directory, env, directories });
  assert.deepEqual(byEnv, { ok: true, socket: flags.files.socketPath });
  const wrong = await findInstance({ socket: 'nothing.sock', cwd: directory, env, directories });
  assert.ok(!wrong.ok && wrong.problem.includes(join(directory, 'nothing.sock')));
});

test('a body above the limit is refused, an address in use rejects with a sentence', async (t) => {
  const directory = await makeDirectory(t);
  const server = await start(t, directory);
  const { socketPath } = server.files;
  const large = await ask({
    socketPath,
    method: 'POST',
    path: '/v1/reload',
    body: 'x'.repeat(1_048_577),
  });
  assert.equal(large.status, 413);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const address = { host: '127.0.0.1', port };
  await assert.rejects(
    start(t, directory, { address }),
    /Cannot open the admin API as .* must be free/,
  );
});

test('instances are looked for by the same names as configurations', () => {
  assert.deepEqual(configurationNames, configFileNames);
});

test('a stream begins at once, goes on, and a client that does not read is dropped', async (t) => {
  const listener = await listenAdmin(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    () =>
      Promise.resolve({
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        body: '',
        stream: (sink) => {
          sinks.push(sink);
          sink.write('data: 1\n\n');
          return () => void stopped++;
        },
      }),
    (error) => assert.fail(String(error)),
  );
  t.after(() => listener.close());
  const sinks: AdminSink[] = [];
  let stopped = 0;
  const open = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port: listener.port, agent: false }, resolve)
        .on('error', reject)
        .end();
    });
  const reader = await open();
  reader.setEncoding('utf8');
  const [first] = (await once(reader, 'data')) as [string];
  assert.equal(first, 'data: 1\n\n');
  sinks[0]?.write('data: 2\n\n');
  const [second] = (await once(reader, 'data')) as [string];
  assert.equal(second, 'data: 2\n\n');
  // Frames above the limit, one behind the other, drop nobody who reads.
  let received = 0;
  const all = new Promise<void>((resolve, reject) => {
    reader.on('close', () => reject(new Error(`dropped after ${received} bytes`)));
    reader.on('data', (text: string) => {
      received += text.length;
      if (received === 6_000_000) resolve();
    });
  });
  for (let frame = 0; frame < 2; frame++) sinks[0]?.write('x'.repeat(3_000_000));
  await all;
  reader.destroy();
  const sleeper = await open();
  sleeper.on('error', () => {});
  for (let i = 0; i < 1_000 && stopped < 2; i++) {
    sinks[1]?.write('x'.repeat(65_536));
    await new Promise(setImmediate);
  }
  assert.equal(stopped, 2);
});
