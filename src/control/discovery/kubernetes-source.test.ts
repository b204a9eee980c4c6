import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { KubernetesDiscovery } from '../config/discovery.ts';
import { realMeans, seeing } from './discovery-rig.ts';
import { type EndpointSlice, serversOf } from './endpoint-slices.ts';
import { startKubernetes } from './kubernetes-source.ts';

function slice(name: string, version: number, hosts: number[], more = {}): EndpointSlice {
  return {
    metadata: { name, resourceVersion: String(version) },
    addressType: 'IPv4',
    endpoints: hosts.map((host) => ({
      addresses: [`10.0.0.${host}`],
      conditions: { ready: true },
      zone: 'a',
      nodeName: 'n1',
      targetRef: { name: `web-${host}` },
    })),
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    ...more,
  };
}

/**
 * The API server by the parts of its protocol that are used: lists in pages of one, watches from a version on
 * with bookmarks, 410 as a status and as an event, tokens.
 */
class FakeApi {
  readonly asked: string[] = [];
  readonly tokens: string[] = [];
  token = 'first';
  version = 10;
  slices = new Map<string, EndpointSlice>();
  /** Watches from before this version get 410. */
  oldest = 0;
  #watches = new Set<ServerResponse>();
  #url = '';
  #close = (): void => {};

  get url(): string {
    return this.#url;
  }

  async start(test: TestContext): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#close = () => {
      server.close();
      server.closeAllConnections();
    };
    test.after(() => this.#close());
  }

  put(type: 'ADDED' | 'MODIFIED' | 'DELETED', name: string, hosts: number[]): void {
    this.version++;
    const object = slice(name, this.version, hosts);
    if (type === 'DELETED') this.slices.delete(name);
    else this.slices.set(name, object);
    this.send({ type, object });
  }

  bookmark(): void {
    this.version += 5;
    const object = { kind: 'EndpointSlice', metadata: { resourceVersion: String(this.version) } };
    this.send({ type: 'BOOKMARK', object });
  }

  send(event: unknown): void {
    for (const watch of this.#watches) watch.write(`${JSON.stringify(event)}\n`);
  }

  endWatches(): void {
    for (const watch of this.#watches) watch.end();
  }

  get watches(): number {
    return this.#watches.size;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://api');
    this.tokens.push(request.headers.authorization ?? 'none');
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      response.writeHead(401).end();
      return;
    }
    assert.equal(url.pathname, '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices');
    assert.equal(url.searchParams.get('labelSelector'), 'kubernetes.io/service-name=web');
    if (url.searchParams.get('watch') === null) this.#list(url, response);
    else this.#watch(url, response);
  }

  #list(url: URL, response: ServerResponse): void {
    const at = Number(url.searchParams.get('continue') ?? '0');
    this.asked.push(`list ${at}`);
    const items = [...this.slices.values()].slice(at, at + 1);
    const more = at + 1 < this.slices.size ? String(at + 1) : '';
    const metadata = { resourceVersion: String(this.version), continue: more };
    response.end(JSON.stringify({ kind: 'EndpointSliceList', metadata, items }));
  }

  #watch(url: URL, response: ServerResponse): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    this.asked.push(`watch ${from}`);
    assert.equal(url.searchParams.get('allowWatchBookmarks'), 'true');
    if (from < this.oldest) {
      response.writeHead(410).end('{"kind":"Status","code":410}');
      return;
    }
    response.writeHead(200).flushHeaders();
    this.#watches.add(response);
    response.on('close', () => this.#watches.delete(response));
  }
}

async function start(test: TestContext) {
  const api = new FakeApi();
  await api.start(test);
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-kubernetes-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'first\n');
  const source: KubernetesDiscovery = {
    kind: 'kubernetes',
    service: 'web',
    namespace: 'shop',
    port: null,
    apiServer: `${api.url}/`,
    tokenFile,
    caFile: null,
  };
  const watching = seeing();
  const run = (): void => {
    const running = startKubernetes(source, realMeans, watching.sink);
    test.after(() => running.stop());
  };
  return { api, tokenFile, run, ...watching };
}

test('startKubernetes() lists page by page, then follows added, modified and deleted slices', async (test) => {
  const { api, run, until } = await start(test);
  api.slices.set('one', slice('one', 9, [1, 2]));
  api.slices.set('two', slice('two', 10, [3]));
  run();
  await until('10.0.0.1:8080 10.0.0.2:8080 10.0.0.3:8080');
  while (api.watches === 0) await new Promise(setImmediate);
  api.put('ADDED', 'three', [4]);
  await until('10.0.0.1:8080 10.0.0.2:8080 10.0.0.3:8080 10.0.0.4:8080');
  api.put('MODIFIED', 'one', [2]);
  api.put('DELETED', 'two', [3]);
  await until('10.0.0.2:8080 10.0.0.4:8080');
  assert.deepEqual(api.asked, ['list 0', 'list 1', 'watch 10']);
});

test('startKubernetes() goes on from the last bookmark after the end of a watch', async (test) => {
  const { api, run, until } = await start(test);
  api.slices.set('one', slice('one', 10, [1]));
  run();
  await until('10.0.0.1:8080');
  while (api.watches === 0) await new Promise(setImmediate);
  api.bookmark();
  api.put('MODIFIED', 'one', [1, 2]);
  await until('10.0.0.1:8080 10.0.0.2:8080');
  api.endWatches();
  while (api.asked.length < 3) await new Promise(setImmediate);
  // 10 + 5 of the bookmark + 1 of the change.
  assert.deepEqual(api.asked, ['list 0', 'watch 10', 'watch 16']);
});

test('startKubernetes() lists anew after 410, as an event or as a status', async (test) => {
  const { api, run, until, told } = await start(test);
  api.slices.set('one', slice('one', 10, [1]));
  run();
  await until('10.0.0.1:8080');
  while (api.watches === 0) await new Promise(setImmediate);
  // What happened while nobody watched.
  api.slices.set('one', slice('one', 12, [7]));
  api.send({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } });
  await until('10.0.0.7:8080');
  while (api.watches === 0) await new Promise(setImmediate);
  api.oldest = 1_000;
  api.version = 2_000;
  api.slices.set('one', slice('one', 2_000, [8]));
  api.endWatches();
  await until('10.0.0.8:8080');
  assert.equal(api.asked.filter((what) => what.startsWith('list')).length, 3);
  assert.ok(told.includes("failed the API server's answer has status 410"));
});

test('startKubernetes() tells a refused token and reads a renewed one', async (test) => {
  const { api, tokenFile, run, until } = await start(test);
  api.slices.set('one', slice('one', 10, [1]));
  api.token = 'second';
  run();
  await until('failed', (why) => why.includes('status 401'));
  writeFileSync(tokenFile, 'second');
  await until('10.0.0.1:8080');
});

test('serversOf() takes ready endpoints once, the port by name, number or as the only one', () => {
  const addresses = (slices: EndpointSlice[], port: string | null = null): string =>
    serversOf(slices, port)
      .map(({ address }) => address)
      .join(' ');
  const both = [slice('a', 1, [1, 2]), slice('b', 1, [2])];
  assert.equal(addresses(both), '10.0.0.1:8080 10.0.0.2:8080');
  assert.equal(addresses(both, '81'), '10.0.0.1:81 10.0.0.2:81');
  assert.equal(addresses(both, 'http'), '10.0.0.1:8080 10.0.0.2:8080');
  assert.equal(addresses(both, 'metrics'), '');
  const two = [
    { name: 'http', port: 80 },
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'metrics', port: 9090 },
  ];
  assert.equal(addresses([slice('a', 1, [1], { ports: two })]), '');
  assert.equal(addresses([slice('a', 1, [1], { ports: two })], 'metrics'), '10.0.0.1:9090');
  const endpoints = [
    { addresses: ['10.0.0.1'], conditions: { ready: false, serving: true, terminating: true } },
    { addresses: ['2001:db8::1'] },
  ];
  assert.equal(addresses([slice('a', 1, [], { endpoints })]), '[2001:db8::1]:8080');
  assert.deepEqual(serversOf([slice('a', 1, [1])], null)[0]?.labels, {
    zone: 'a',
    node: 'n1',
    pod: 'web-1',
  });
});
