import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainBalancing, type Sticky } from '../model/balancing.ts';
import { Verdict } from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { FakeRun, ok } from './fake-run.ts';

const sticky: Sticky = {
  cookie: 'seat',
  ttlMs: 0,
  path: '/',
  secure: 'auto',
  sameSite: 'lax',
  secret: 'a secret of more than sixteen letters',
  secretFile: null,
};

function runWith(change: Partial<Sticky> = {}, more: Partial<Snapshot> = {}): FakeRun {
  const servers = 3;
  const snapshot = fakeSnapshot(servers);
  const [pool] = snapshot.pools;
  const balancing = { ...plainBalancing, sticky: { ...sticky, ...change } };
  return new FakeRun(servers, {
    pools: [{ ...pool!, balancing }],
    ...more,
  });
}

const get = (cookie = '', fields = ''): string =>
  `GET / HTTP/1.1\r\nHost: a\r\n${cookie === '' ? '' : `Cookie: ${cookie}\r\n`}${fields}Connection: close\r\n\r\n`;

interface Outcome {
  /** Address of the server that got it. */
  readonly host: string;
  readonly setCookie: string | null;
  /** `name=value` of the cookie set. */
  readonly pair: string;
}

/** One request on a link of its own, answered by a new link of whichever server was chosen. */
function ask(run: FakeRun, text: string, answer: string = ok): Outcome {
  const dials = run.dials;
  const client = run.client(text);
  assert.equal(run.dials, dials + 1);
  const server = run.server(dials);
  server.receive(answer.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  const setCookie = /^Set-Cookie: (.*)\r$/m.exec(client.text)?.[1] ?? null;
  const { host } = (server.target as unknown as { address: { host: string } }).address;
  return { host, setCookie, pair: setCookie?.split(';')[0] ?? '' };
}

const judge = (run: FakeRun, slot: number, bits: number): void => {
  Atomics.store(run.fake.words.verdict, slot, bits);
  Atomics.add(run.fake.words.epoch, 0, 1);
};

test('a sticky pool sets a cookie that leads back to the same server, and sets it once', () => {
  const run = runWith();
  const first = ask(run, get());
  assert.match(
    first.setCookie ?? '',
    /^seat=[\w-]{16}\.0\.[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  for (let again = 0; again < 5; again++) {
    const next = ask(run, get(`other=1; ${first.pair}; more=2`));
    assert.deepEqual(next, { host: first.host, setCookie: null, pair: '' });
  }
});

test('a cookie holds in another process with the same secret, and not with another one', () => {
  const first = ask(runWith(), get());
  const other = runWith();
  ask(other, get());
  assert.equal(ask(other, get(first.pair)).host, first.host);
  const strange = ask(runWith({ secret: 'another secret of enough letters' }), get(first.pair));
  assert.notEqual(strange.setCookie, null);
});

test('a forged, cut or strange cookie is ignored and replaced', () => {
  const run = runWith();
  const first = ask(run, get());
  const second = ask(run, get());
  assert.notEqual(first.host, second.host);
  const [mark] = first.pair.split('.');
  const [, ...rest] = second.pair.split('.');
  const forged = [
    `${mark}.${rest.join('.')}`,
    first.pair.slice(0, -1),
    `${first.pair}x`,
    `${first.pair}.x`,
    'seat=',
    'seat=..',
    `seat=${'a'.repeat(4000)}`,
    'seat=10.0.0.1:80',
  ];
  for (const cookie of forged) assert.notEqual(ask(run, get(cookie)).setCookie, null, cookie);
});

test('a draining server keeps its sessions, new ones go elsewhere', () => {
  const run = runWith();
  const first = ask(run, get());
  judge(run, 0, Verdict.DRAINING);
  assert.equal(first.host, '10.0.0.1');
  assert.deepEqual(ask(run, get(first.pair)), { host: first.host, setCookie: null, pair: '' });
  for (let fresh = 0; fresh < 6; fresh++) assert.notEqual(ask(run, get()).host, first.host);
});

test('a session moves when its server is down, with a new cookie', () => {
  const run = runWith();
  const first = ask(run, get());
  judge(run, 0, Verdict.PROBE_DOWN);
  const moved = ask(run, get(first.pair));
  assert.notEqual(moved.host, first.host);
  assert.notEqual(moved.setCookie, null);
  judge(run, 0, 0);
  assert.equal(ask(run, get(moved.pair)).host, moved.host);
});

test('a session moves when its server refuses the connection', () => {
  const run = runWith();
  const first = ask(run, get());
  const dials = run.dials;
  const client = run.client(get(first.pair));
  run.server(dials, false).die(111);
  run.server(dials + 1).receive(ok.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  assert.match(client.text, /^Set-Cookie: seat=/m);
});

test('a server that is only full keeps its session for later', () => {
  const run = runWith();
  const first = ask(run, get());
  const [pool] = run.fake.snapshot.pools;
  const servers = pool!.servers.map((server) => ({ ...server, connectionsMax: 1 }));
  run.fake.plane.apply({ ...run.fake.snapshot, version: 2, pools: [{ ...pool!, servers }] }, {});
  Atomics.add(run.fake.words.inFlight, 0, 1);
  const elsewhere = ask(run, get(first.pair));
  assert.notEqual(elsewhere.host, first.host);
  assert.equal(elsewhere.setCookie, null);
  Atomics.sub(run.fake.words.inFlight, 0, 1);
  assert.equal(ask(run, get(first.pair)).host, first.host);
});

test('ttl: a session ends, and is renewed when half of it is over', () => {
  const run = runWith({ ttlMs: 60_000 });
  const first = ask(run, get());
  assert.match(first.setCookie ?? '', /; Max-Age=60;/);
  assert.equal(ask(run, get(first.pair)).setCookie, null);
  run.fake.clock.wallMs += 31_000;
  const renewed = ask(run, get(first.pair));
  assert.equal(renewed.host, first.host);
  assert.notEqual(renewed.setCookie, null);
  run.fake.clock.wallMs += 40_000;
  assert.notEqual(ask(run, get(first.pair)).setCookie, null);
  assert.equal(ask(run, get(renewed.pair)).host, first.host);
});

test('secure: by setting, and on auto by what a trusted peer says', () => {
  const https = 'X-Forwarded-Proto: https\r\n';
  assert.match(ask(runWith({ secure: 'always' }), get()).setCookie ?? '', /; Secure$/);
  assert.doesNotMatch(ask(runWith(), get('', https)).setCookie ?? 'Secure', /Secure/);
  const trusting = runWith({}, { trustedPeers: ['127.0.0.0/8'] });
  assert.match(ask(trusting, get('', https)).setCookie ?? '', /; Secure$/);
  assert.doesNotMatch(ask(trusting, get()).setCookie ?? 'Secure', /Secure/);
});

test('no cookie comes with an answer of 502 to 504', () => {
  const answer = 'HTTP/1.1 503 Busy\r\nDate: x\r\nContent-Length: 0\r\n\r\n';
  assert.equal(ask(runWith(), get(), answer).setCookie, null);
});
