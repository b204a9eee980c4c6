import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../model/limits.ts';
import { REMOVED, SlotBook, type SlotKind, SlotsExhausted } from './slots.ts';

interface Book {
  readonly slots: SlotBook;
  readonly busy: Set<number>;
  readonly reused: string[];
  readonly returned: string[];
}

function book(servers: number): Book {
  const busy = new Set<number>();
  const reused: string[] = [];
  const returned: string[] = [];
  const slots = new SlotBook({
    capacities: { listener: 2, route: 2, pool: 2, server: servers },
    isQuiet: (_kind: SlotKind, slot) => !busy.has(slot),
    onReused: ({ kind, slot }) => void reused.push(`${kind} ${slot}`),
    onReturned: (kind, slot) => void returned.push(`${kind} ${slot}`),
  });
  return { slots, busy, reused, returned };
}

function round(slots: SlotBook, version: number, addresses: readonly string[]): number[] {
  slots.begin();
  const got = addresses.map((address) => slots.assigner.server('web', address));
  slots.commit(version);
  return got;
}

test('a name keeps its slot over rounds in any order', () => {
  const { slots, reused } = book(4);
  assert.deepEqual(round(slots, 1, ['a', 'b']), [0, 1]);
  assert.deepEqual(round(slots, 2, ['b', 'c', 'a']), [1, 2, 0]);
  assert.deepEqual(reused, []);
});

test('a freed slot is given again only when quiet and after an applied publication', () => {
  const { slots, busy, reused } = book(2);
  round(slots, 1, ['a', 'b']);
  round(slots, 2, ['a']);
  busy.add(1);
  assert.throws(() => round(slots, 3, ['a', 'c']), SlotsExhausted);
  slots.abort();
  slots.applied(2);
  assert.throws(() => round(slots, 3, ['a', 'c']), SlotsExhausted);
  slots.abort();
  busy.clear();
  assert.deepEqual(round(slots, 3, ['a', 'c']), [0, 1]);
  assert.deepEqual(reused, ['server 1']);
});

test('abort() gives back what the round took and keeps what was there', () => {
  const { slots, reused } = book(2);
  round(slots, 1, ['a']);
  slots.begin();
  slots.assigner.server('web', 'b');
  assert.throws(() => slots.assigner.server('web', 'c'), SlotsExhausted);
  slots.abort();
  assert.equal(slots.serverSlot('web', 'b'), null);
  assert.equal(slots.serverSlot('web', 'a'), 0);
  assert.deepEqual(reused, []);
  assert.deepEqual(round(slots, 2, ['a', 'd']), [0, 1]);
});

test('a name that comes back gets its slot back, busy or not, until another name has it', () => {
  const { slots, busy, reused, returned } = book(2);
  round(slots, 1, ['a', 'b']);
  round(slots, 2, ['a']);
  busy.add(1);
  assert.deepEqual(
    slots.departed('server').map(({ pool, name, slot }) => [pool, name, slot]),
    [['web', 'b', 1]],
  );
  assert.deepEqual(round(slots, 3, ['a', 'b']), [0, 1]);
  assert.deepEqual([reused, returned], [[], ['server 1']]);
  assert.deepEqual(slots.departed('server'), []);
  busy.clear();
  round(slots, 4, ['a']);
  slots.applied(4);
  assert.deepEqual(round(slots, 5, ['a', 'c']), [0, 1]);
  assert.deepEqual(reused, ['server 1']);
});

test('departed names are given up, oldest first, when there are too many to show', () => {
  const { slots, reused } = book(4 * limits.departedNames);
  for (let version = 1; version <= 3 * limits.departedNames; version++) {
    round(slots, version, [`10.0.0.1:${version}`]);
    slots.applied(version);
  }
  // One present, and what left: at most as many as are shown.
  assert.equal(slots.departed('server').length, limits.departedNames);
  assert.equal(reused[0], 'server 0');
  assert.equal(reused.length, 2 * limits.departedNames - 1);
});

test('a pool whose slot is given again takes the names of its servers along', () => {
  const { slots } = book(4);
  const pools = (version: number, names: readonly string[]): void => {
    slots.begin();
    for (const name of names) {
      slots.assigner.pool(name);
      slots.assigner.server(name, 'a');
    }
    slots.commit(version);
    slots.applied(version);
  };
  pools(1, ['one', 'two']);
  pools(2, ['two']);
  slots.begin();
  slots.assigner.pool('three');
  slots.abort();
  assert.deepEqual(slots.departed('server'), [{ kind: 'server', pool: 'one', name: 'a', slot: 0 }]);
  pools(3, ['two', 'three']);
  assert.deepEqual(slots.departed('server'), [
    { kind: 'server', pool: REMOVED, name: REMOVED, slot: 0 },
  ]);
});

test('keepServers() asks for all servers that a pool had, and only for those of that pool', () => {
  const { slots } = book(4);
  slots.begin();
  slots.assigner.server('web', 'a');
  slots.assigner.server('web', 'b');
  slots.assigner.server('api', 'a');
  slots.commit(1);
  for (const version of [2, 3]) {
    slots.begin();
    slots.keepServers('web');
    slots.commit(version);
  }
  assert.equal(slots.serverSlot('web', 'a'), 0);
  assert.equal(slots.serverSlot('web', 'b'), 1);
  assert.equal(slots.serverSlot('api', 'a'), null);
});
