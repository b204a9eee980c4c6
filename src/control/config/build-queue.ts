import type { QueueRule } from '../../model/snapshot.ts';
import type { CheckedQueue } from './checked.ts';

/** A queue with its defaults. */
export function buildQueue({ size, timeout, classes }: CheckedQueue): QueueRule {
  return {
    size: size ?? 1_000,
    timeoutMs: timeout ?? 5_000,
    classes:
      classes === undefined
        ? null
        : {
            header: (classes.header ?? 'x-priority').toLowerCase(),
            values: Object.fromEntries(
              [...(classes.values ?? [])].map(([value, klass]) => [value.toLowerCase(), klass]),
            ),
            otherwise: classes.default ?? 1,
          },
  };
}
