import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadLibc } from '../libc.ts';
import { Posix } from './constants.ts';
import { loopWakeDescriptor } from './loop-wake.ts';
import { Mapping } from './memory.ts';
import { probeUring } from './probe.ts';

/** write(2) by its number: x64 and ARM64. */
const SYS_WRITE = process.arch === 'arm64' ? 64 : 1;
const skip = probeUring().isUsable ? false : 'needs io_uring';

test('loopWakeDescriptor() finds what wakes this loop, and an immediate without a reference then runs', {
  skip,
}, async () => {
  const libc = loadLibc();
  const eventFd = libc.eventfd(0, Posix.EFD_NONBLOCK_CLOEXEC);
  const poll = libc.poll(eventFd, () => {});
  // Immediates come behind the loop's poll, where it takes up new handles.
  await new Promise((resolve) => setImmediate(resolve));
  const wake = loopWakeDescriptor(eventFd);
  poll.close();
  libc.close(eventFd);
  assert.ok(wake >= 0);
  // A second from now something else wakes the loop; the descriptor must be faster.
  const slow = setTimeout(() => {}, 1_000);
  const started = performance.now();
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      setImmediate(resolve).unref();
      signal(libc, wake);
    });
  });
  clearTimeout(slow);
  assert.ok(performance.now() - started < 500);
});

test('loopWakeDescriptor() of a descriptor that no loop watches is -1', () => {
  assert.equal(loopWakeDescriptor(0x7fff_ffff), -1);
});

/** Adds one to an eventfd, as the kernel does for a ring. */
function signal(libc: ReturnType<typeof loadLibc>, fd: number): void {
  const mapping = Mapping.anonymous(libc, 4096);
  mapping.words[0] = 1;
  const written = libc.syscall(SYS_WRITE, fd, mapping.address, 8, 0, 0, 0);
  mapping.unmap();
  assert.equal(written, 8);
}
