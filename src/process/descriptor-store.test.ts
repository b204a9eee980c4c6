import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DescriptorChannel } from '../platform/descriptor-channel.ts';
import { DescriptorStore } from './descriptor-store.ts';
import { PROTOCOL_VERSION } from './store-protocol.ts';

/** A balancer's end: asks the store and reads the answer. */
function balancer(store: DescriptorStore): {
  channel: DescriptorChannel;
  ask: (
    verb: string,
    name?: string,
    fds?: number[],
  ) => { ok: boolean; names: string[]; fds: number[] };
} {
  let answer: { ok: boolean; entries?: { name: string }[] } = { ok: false };
  let sent: readonly number[] = [];
  const channel = {
    send: (value: unknown, fds: readonly number[] = []) => {
      answer = value as typeof answer;
      sent = fds;
      return true;
    },
  } as unknown as DescriptorChannel;
  return {
    channel,
    ask: (verb, name, fds = []) => {
      store.answer(channel, { value: { version: PROTOCOL_VERSION, id: 1, verb, name }, fds });
      const names = (answer.entries ?? []).map((entry) => entry.name);
      return { ok: answer.ok, names, fds: [...sent] };
    },
  };
}

test('what a tried balancer deposits and drops is its own until it is taken', () => {
  const closed: number[] = [];
  const store = new DescriptorStore((fd) => void closed.push(fd));
  const first = balancer(store);
  const second = balancer(store);
  first.ask('deposit', 'web', [10]);
  first.ask('deposit', 'old', [11]);
  store.beginDraft(second.channel);
  second.ask('deposit', 'new', [12]);
  second.ask('drop', 'old');
  assert.deepEqual(second.ask('list').names, ['web', 'new']);
  assert.deepEqual(first.ask('list').names, ['web', 'old']);
  assert.equal(second.ask('fetch', 'old').ok, false);
  assert.deepEqual(second.ask('fetch', 'web').fds, [10]);
  assert.deepEqual(closed, []);
  store.takeDraft(second.channel);
  assert.deepEqual(first.ask('list').names, ['web', 'new']);
  assert.deepEqual(closed, [11]);
});

test('a draft that is given up leaves the store as it was', () => {
  const closed: number[] = [];
  const store = new DescriptorStore((fd) => void closed.push(fd));
  const first = balancer(store);
  const second = balancer(store);
  first.ask('deposit', 'web', [10]);
  store.beginDraft(second.channel);
  second.ask('deposit', 'web', [20]);
  second.ask('deposit', 'web', [21]);
  assert.deepEqual(closed, [20]);
  store.dropDraft(second.channel);
  assert.deepEqual(closed, [20, 21]);
  assert.deepEqual(first.ask('fetch', 'web').fds, [10]);
});

test('an unknown verb or version is refused, and its descriptors are closed', () => {
  const closed: number[] = [];
  const store = new DescriptorStore((fd) => void closed.push(fd));
  const { ask } = balancer(store);
  assert.equal(ask('sing', 'x', [30]).ok, false);
  assert.deepEqual(closed, [30]);
});
