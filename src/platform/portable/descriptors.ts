import type { Server, Socket } from 'node:net';
import { descriptorLimit } from '../descriptor-limit.ts';

/**
 * Descriptors kept free for what must not fail when links use up the rest: dials of links already accepted,
 * files, and one link that each other worker may accept before it notices.
 */
const RESERVE = 32;

/**
 * The first descriptor number at which accepting must pause, or Infinity where the limit cannot be read.
 *
 * Why it is needed: when `accept` fails for want of descriptors, libuv gives up a spare one to accept and
 * close what waits, and tells nobody: peers would see closed connections, and we nothing. The system always hands out
 * the lowest free number, so the number of a new socket shows how many are in use, all threads and files included.
 */
export function descriptorCeiling(): number {
  const limit = descriptorLimit();
  // Accepting then relies on the errors that libuv reports.
  if (limit === Number.POSITIVE_INFINITY) return limit;
  // A limit below twice the reserve is met in tests and small containers: keep half.
  return limit - Math.min(RESERVE, Math.floor(limit / 2));
}

/** The parts of Node's socket handles that no public name leads to. */
interface Handle {
  readonly fd?: number;
  readonly writeQueueSize?: number;
}

function handleOf(owner: Socket | Server): Handle | null {
  return (owner as unknown as { _handle?: Handle | null })._handle ?? null;
}

/** The descriptor of a socket or server, -1 where there is none (closed; Windows). */
export function descriptorOf(owner: Socket | Server): number {
  return handleOf(owner)?.fd ?? -1;
}

/**
 * Bytes given to the socket's handle that the kernel has not taken, -1 when unknown. Node's own idle
 * time-out reads the same field (`lib/net.js`, `_onTimeout`): it moves while one large write progresses,
 * which `writableLength` does not.
 */
export function unwrittenBytes(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? -1;
}
