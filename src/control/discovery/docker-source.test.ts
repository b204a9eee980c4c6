import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DockerDiscovery } from '../config/discovery.ts';
import { realMeans, seeing } from './discovery-rig.ts';
import { serverOf, startDocker } from './docker-source.ts';

const source: DockerDiscovery = {
  kind: 'docker',
  socket: '',
  label: 'evenkeel.pool=web',
  network: null,
  port: null,
};

function container(ip: string, labels: Record<string, string> = {}, ports = [3000]) {
  return {
    Id: 'abc',
    Names: [`/web-${ip}`],
    Labels: labels,
    Ports: ports.map((port) => ({ PrivatePort: port, Type: 'tcp' })),
    NetworkSettings: { Networks: { bridge: { IPAddress: ip } } },
  };
}

/** Docker's list and events on a Unix socket, by the parts of its protocol that are used. */
async function startFakeDocker(test: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-docker-'));
  const socket = join(directory, 'docker.sock');
  const streams = new Set<ServerResponse>();
  const state = { containers: [container('10.0.0.1')], filters: '' };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://docker');
    if (url.pathname.endsWith('/containers/json')) {
      state.filters = url.searchParams.get('filters') ?? '';
      response.end(JSON.stringify(state.containers));
    } else if (url.pathname.endsWith('/events')) {
      response.writeHead(200).flushHeaders();
      streams.add(response);
      response.on('close', () => streams.delete(response));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  test.after(() => {
    close();
    rmSync(directory, { recursive: true, force: true });
  });
  const change = (containers: (typeof state)['containers'], event: string): void => {
    state.containers = containers;
    for (const stream of streams) stream.write(`${JSON.stringify({ Action: event })}\n`);
  };
  return { socket, state, change, close };
}

test('startDocker() lists containers, follows events and tells the end of the socket', async (test) => {
  const docker = await startFakeDocker(test);
  const { sink, until } = seeing();
  const running = startDocker({ ...source, socket: docker.socket }, realMeans, sink);
  test.after(() => running.stop());
  await until('10.0.0.1:3000');
  assert.deepEqual(JSON.parse(docker.state.filters), {
    label: ['evenkeel.pool=web'],
    status: ['running'],
  });
  docker.change([container('10.0.0.1'), container('10.0.0.2')], 'start');
  await until('10.0.0.1:3000 10.0.0.2:3000');
  docker.change([container('10.0.0.2')], 'die');
  await until('10.0.0.2:3000');
  docker.close();
  await until('failed', (text) => /ECONNREFUSED|ENOENT|socket hang up/.test(text));
});

test('startDocker() fails where there is no socket', async (test) => {
  const { sink, until } = seeing();
  const running = startDocker({ ...source, socket: '/nowhere.sock' }, realMeans, sink);
  test.after(() => running.stop());
  await until('failed', (text) => text.includes('ENOENT'));
});

test('serverOf() takes port and weight of labels, the only exposed port, the named network', () => {
  const address = (found: unknown, more = {}): string | undefined =>
    serverOf(found as Parameters<typeof serverOf>[0], { ...source, ...more })?.address;
  assert.equal(address(container('10.0.0.1')), '10.0.0.1:3000');
  assert.equal(address(container('10.0.0.1', { 'evenkeel.port': '81' })), '10.0.0.1:81');
  assert.equal(address(container('10.0.0.1', {}, [1, 2])), undefined);
  assert.equal(address(container('10.0.0.1', {}, [1, 2]), { port: 9 }), '10.0.0.1:9');
  assert.equal(address(container('')), undefined);
  assert.equal(address(container('10.0.0.1'), { network: 'other' }), undefined);
  const weighted = serverOf(container('10.0.0.1', { 'evenkeel.weight': '5' }), source);
  assert.equal(weighted?.weight, 5);
  assert.deepEqual(weighted?.labels, { container: 'web-10.0.0.1' });
  assert.equal(serverOf(container('10.0.0.1', { 'evenkeel.weight': 'x' }), source)?.weight, 1);
});
