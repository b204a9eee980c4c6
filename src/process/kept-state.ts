import type { Config } from '../control/config/config.ts';
import type { DiscoveryState } from '../control/discovery/discoverer.ts';
import type { OverlayState } from '../control/publish/overlay.ts';
import { closeFile, readUnnamedFile, writeUnnamedFile } from '../platform/files.ts';
import type { StoreClient } from './descriptor-store.ts';

/**
 * What a balancer leaves for the one that comes after its crash: the last good configuration, in
 * case the file is broken just then, and what operators changed at run time.
 */
export interface KeptState {
  readonly config: Config;
  readonly overlay: OverlayState;
  /** What each source of discovery had found. */
  readonly found: DiscoveryState;
}

const NAME = 'state';
/** Grows when the shape of `KeptState` changes; another version's state is left alone. */
const FORMAT = 1;

/**
 * Leaves the state with the supervisor, as a descriptor of a file without a name. Errors: rejects.
 */
export async function keepState(store: StoreClient, state: KeptState): Promise<void> {
  const fd = writeUnnamedFile(JSON.stringify(state));
  try {
    await store.deposit(NAME, [fd], { format: FORMAT });
  } finally {
    closeFile(fd);
  }
}

/** The state that a balancer before us left; null when there is none. Errors: rejects. */
export async function keptState(store: StoreClient): Promise<KeptState | null> {
  const entry = (await store.list()).find(({ name }) => name === NAME);
  if (entry === undefined || (entry.meta as { format?: unknown }).format !== FORMAT) return null;
  const [fd] = await store.fetch(NAME);
  if (fd === undefined) return null;
  try {
    return JSON.parse(readUnnamedFile(fd)) as KeptState;
  } finally {
    closeFile(fd);
  }
}
