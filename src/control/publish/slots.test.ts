import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotBook, type SlotKind, SlotsExhausted } from './slots.ts';

function book(servers: number): { slots: SlotBook; busy: Set<number>; reused: string[] } {
  const busy = new Set<number>();
  const reused: string[] = [];
  const slots = new SlotBook({
    capacities: { listener: 2, route: 2, pool: 2, server: servers },
    isQuiet: (_kind: SlotKind, slot) => !busy.has(slot),
    onReused: (kind, slot) => reused.push(`${kind} ${slot}`),
  });
  return { slots, busy, reused };
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
