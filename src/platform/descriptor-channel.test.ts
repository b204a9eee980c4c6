import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ChannelMessage, createChannelPair, DescriptorChannel } from './descriptor-channel.ts';
import { canPassDescriptors } from './socket-calls.ts';

const skip = canPassDescriptors() ? false : 'needs Linux and koffi';

/** An end whose messages and close can be awaited. */
function end(fd: number): {
  channel: DescriptorChannel;
  next: () => Promise<ChannelMessage | string>;
} {
  const seen: (ChannelMessage | string)[] = [];
  let wake = (): void => {};
  const take = (one: ChannelMessage | string): void => {
    seen.push(one);
    wake();
  };
  const channel = new DescriptorChannel(fd, { onMessage: take, onClosed: take });
  const next = async (): Promise<ChannelMessage | string> => {
    while (seen.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return seen.shift() as ChannelMessage | string;
  };
  return { channel, next };
}

test('send() passes values and working copies of descriptors, in order', { skip }, async () => {
  const [left, right] = createChannelPair().map(end) as [
    ReturnType<typeof end>,
    ReturnType<typeof end>,
  ];
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  const path = join(folder, 'file');
  const fd = openSync(path, 'w');
  assert.ok(left.channel.send({ n: 1, text: 'ü' }, [fd]));
  assert.ok(left.channel.send({ n: 2 }));
  closeSync(fd);
  const first = (await right.next()) as ChannelMessage;
  assert.deepEqual(first.value, { n: 1, text: 'ü' });
  assert.equal(first.fds.length, 1);
  writeSync(first.fds[0] as number, 'written by the receiver');
  closeSync(first.fds[0] as number);
  assert.equal(readFileSync(path, 'utf8'), 'written by the receiver');
  assert.deepEqual(await right.next(), { value: { n: 2 }, fds: [] });
  left.channel.close();
  assert.equal(await right.next(), 'the other end closed');
  assert.equal(right.channel.send({}), false);
  rmSync(folder, { recursive: true });
});

test('send() carries 64 descriptors and refuses 65', { skip }, async () => {
  const [left, right] = createChannelPair().map(end) as [
    ReturnType<typeof end>,
    ReturnType<typeof end>,
  ];
  const fds = Array.from({ length: 64 }, () => openSync('/dev/null', 'r'));
  assert.ok(left.channel.send('all', fds));
  const message = (await right.next()) as ChannelMessage;
  assert.equal(message.fds.length, 64);
  assert.throws(() => left.channel.send('more', [...fds, 0]), RangeError);
  assert.throws(() => left.channel.send('x'.repeat(70_000)), RangeError);
  for (const fd of [...fds, ...message.fds]) closeSync(fd);
  left.channel.close();
  right.channel.close();
});
