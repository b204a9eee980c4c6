import type { BufferPool, Link } from '../platform/driver.ts';

/** Parts up to this are worth a copy, and so many bytes may wait before they are copied. */
const SMALL_BYTES = 1_024;

/**
 * Sends a window of a buffer and takes over one reference of it, like `Link.send`; but a small one that
 * has to wait is copied behind others. A queue is limited by its bytes: with a buffer for every event of a
 * stream, a few stalled clients would hold all buffers of a worker. Cost: one comparison when nothing waits.
 */
export function sendSparing(
  buffers: BufferPool,
  link: Link,
  id: number,
  offset: number,
  length: number,
): void {
  const isSparing = length <= SMALL_BYTES && link.queuedBytes > SMALL_BYTES;
  if (isSparing && link.sendCopy(buffers.bytes, offset, offset + length)) buffers.release(id);
  else link.send(id, offset, length);
}
