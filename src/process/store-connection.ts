import { systemClock } from '../platform/clock.ts';
import { DescriptorChannel } from '../platform/descriptor-channel.ts';
import { StoreClient } from './store-client.ts';
import type { Notice } from './store-protocol.ts';

/**
 * The balancer's way to its supervisor, over the descriptor it was started with. Null where there
 * is none: started without a supervisor, or on a system that cannot pass descriptors.
 */
export function connectStore(means: {
  readonly onNotice: (notice: Notice) => void;
  readonly onLost: (why: string) => void;
}): StoreClient | null {
  const fd = Number(process.env['EVENKEEL_CHANNEL'] ?? '');
  if (!Number.isInteger(fd) || fd <= 2) return null;
  const client = new StoreClient({
    ...means,
    startTimer: (afterMs, onTimer) => systemClock.after(afterMs, onTimer),
  });
  const channel = new DescriptorChannel(fd, {
    onMessage: (message) => client.receive(message),
    onClosed: (why) => client.lost(why),
  });
  client.attach(channel);
  return client;
}
