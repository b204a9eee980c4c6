import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TailFilter, tailLinesPerSecond } from '../model/live.ts';
import { FakeRun, ok } from './fake-run.ts';

const all: TailFilter = {
  statusMin: 0,
  statusMax: 999,
  isFailedOnly: false,
  pool: null,
  route: null,
  server: null,
  slowMs: 0,
  text: null,
};

/** A run without an access log whose one client asks for paths, one after the other. */
function startTailed(): {
  run: FakeRun;
  tail: (...filters: TailFilter[]) => void;
  ask: (path: string, answer?: string) => void;
  told: () => { paths: unknown[]; skipped: number };
} {
  const run = new FakeRun(1, { accessLog: false });
  const client = run.client();
  const ask = (path: string, answer = ok): void => {
    // Later than the moment at which somebody began to look.
    run.advance(1);
    client.receive(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    run.server(run.dials - 1).receive(answer);
  };
  const told = (): { paths: unknown[]; skipped: number } => {
    run.advance(50);
    const batches = run.fake.messages.flatMap((message) =>
      message.type === 'tail' ? [message] : [],
    );
    const lines = batches.flatMap((batch) =>
      new TextDecoder().decode(batch.lines).trim().split('\n'),
    );
    return {
      paths: lines.map((line) => (JSON.parse(line) as { path: unknown }).path),
      skipped: batches.reduce((sum, { skipped }) => sum + skipped, 0),
    };
  };
  return { run, ask, told, tail: (...filters) => run.fake.plane.tail(filters) };
}

const failed = 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n';

test('no line is made while nobody looks, before it and after it', () => {
  const { run, ask, told, tail } = startTailed();
  ask('/before');
  tail(all);
  ask('/while');
  run.advance(50);
  tail();
  ask('/after');
  assert.deepEqual(told().paths, ['/while']);
  assert.deepEqual(run.log(), []);
});

test('a line goes out when one of the filters wants it, once', () => {
  const { ask, told, tail } = startTailed();
  tail({ ...all, statusMin: 500, statusMax: 599 }, { ...all, text: 'GET h/wanted' });
  ask('/other');
  ask('/wanted/1');
  ask('/wanted/2', failed);
  ask('/failed', failed);
  assert.deepEqual(told(), { paths: ['/wanted/1', '/wanted/2', '/failed'], skipped: 0 });
});

test('names of pool, route and server are compared whole', () => {
  const { run, ask, told, tail } = startTailed();
  const [pool] = run.fake.snapshot.pools;
  const [route] = run.fake.snapshot.routes;
  const server = pool?.servers[0]?.address ?? '';
  const own = { ...all, pool: pool?.name ?? '', route: route?.name ?? '', server };
  tail(own, { ...own, pool: 'none' }, { ...own, server: 'none' });
  ask('/x');
  assert.deepEqual(told().paths, ['/x']);
  tail({ ...own, route: 'none' }, { ...own, isFailedOnly: true }, { ...own, slowMs: 10_000 });
  ask('/y');
  assert.deepEqual(told().paths, ['/x']);
});

test('above the limit of a second lines are counted, and the next second begins anew', () => {
  const { run, ask, told, tail } = startTailed();
  run.advance(1_000 - (run.fake.driver.now() % 1_000));
  tail(all);
  for (let i = 0; i < tailLinesPerSecond + 7; i++) ask(`/${i}`);
  run.advance(1_000);
  ask('/next');
  const { paths, skipped } = told();
  assert.deepEqual([paths.length, skipped], [tailLinesPerSecond + 1, 7]);
  assert.equal(paths.at(-1), '/next');
});
