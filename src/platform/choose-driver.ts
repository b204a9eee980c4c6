import { probeUring } from './uring/probe.ts';

/** A driver was asked for by name and cannot run here. */
export class DriverRefusal extends Error {
  override readonly name = 'DriverRefusal';
  readonly code = 'driver-not-usable';
}

/**
 * Which driver to use, and why in words for `status` and the log. `auto` takes `uring` where the kernel allows it,
 * else `portable`. Errors: throws `DriverRefusal` when `uring` is forced where it is not usable: who forces it
 * wants its speed, and a silent change would hide that it is gone. Cost: one probe of the kernel (`auto`, `uring`).
 */
export function chooseDriver(wanted: 'auto' | 'uring' | 'portable'): {
  name: 'uring' | 'portable';
  reason: string;
} {
  if (wanted === 'portable') return { name: 'portable', reason: 'asked for by the configuration' };
  const probe = probeUring();
  if (wanted === 'auto') {
    return { name: probe.isUsable ? 'uring' : 'portable', reason: probe.reason };
  }
  if (!probe.isUsable) {
    throw new DriverRefusal(
      `Cannot use the driver uring as the system must allow io_uring: current value is ${probe.reason}; ` +
        '"auto" or "portable" work here',
    );
  }
  return { name: 'uring', reason: `asked for; ${probe.reason}` };
}
