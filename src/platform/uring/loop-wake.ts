import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const EPOLL = 'anon_inode:[eventpoll]';
const EVENT = 'anon_inode:[eventfd]';

/**
 * The eventfd by which libuv wakes the loop of the calling thread, or -1 where it cannot be told. A ring
 * that signals it wakes the loop in C: libuv empties it, finds no handle pending and goes on to the
 * immediates. `eventFd` is one of ours that is polled in this loop since its last turn: it tells which of
 * the process's epoll descriptors is this loop's.
 *
 * Cost: a few system calls per descriptor of the process; once per worker, before it has links.
 * Source: `uv__async_start` in libuv; `/proc/PID/fdinfo` in proc(5).
 */
export function loopWakeDescriptor(eventFd: number): number {
  try {
    for (const name of readdirSync('/proc/self/fd')) {
      if (kindOf(name) !== EPOLL) continue;
      const watched = watchedBy(name);
      if (!watched.includes(String(eventFd))) continue;
      const others = watched.filter((fd) => fd !== String(eventFd) && kindOf(fd) === EVENT);
      // More than one: somebody else waits for an eventfd of his own in this loop.
      return others.length === 1 ? Number(others[0]) : -1;
    }
  } catch {
    // No procfs, or not for us: the loop is woken through a handle of its own.
  }
  return -1;
}

function kindOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // Closed in between by another thread.
    return '';
  }
}

function watchedBy(epoll: string): string[] {
  const text = readFileSync(`/proc/self/fdinfo/${epoll}`, 'latin1');
  return [...text.matchAll(/^tfd:\s*(\d+)/gm)].map((match) => match[1] as string);
}
