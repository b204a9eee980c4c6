import type { Config } from '../control/config/config.ts';
import type { DiscoveryState } from '../control/discovery/discoverer.ts';
import type { OverlayState } from '../control/publish/overlay.ts';
import { closeFile, readUnnamedFile, writeUnnamedFile } from '../platform/files.ts';
import type { StoreClient } from './store-client.ts';

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

/** Leaves the state with the supervisor. Errors: rejects. */
export async function keepState(store: StoreClient, state: KeptState): Promise<void> {
  await keepAs(store, NAME, FORMAT, state);
}

/** The state that a balancer before us left; null when there is none. Errors: rejects. */
export async function keptState(store: StoreClient): Promise<KeptState | null> {
  return (await fetchState(store, NAME, FORMAT)) as KeptState | null;
}

/**
 * Leaves plain data with the supervisor, as a descriptor of a file without a name. Each deposit has
 * another mark beside it. Errors: rejects.
 */
export async function keepAs(
  store: StoreClient,
  name: string,
  format: number,
  state: unknown,
): Promise<void> {
  const fd = writeUnnamedFile(JSON.stringify(state));
  try {
    await store.deposit(name, [fd], { format, mark: performance.now() });
  } finally {
    closeFile(fd);
  }
}

/** What was left under a name; null when there is nothing, or of another format. Errors: rejects. */
export async function fetchState(
  store: StoreClient,
  name: string,
  format: number,
): Promise<unknown> {
  const entry = (await store.list()).find((each) => each.name === name);
  if (entry === undefined || (entry.meta as { format?: unknown }).format !== format) return null;
  const [fd] = await store.fetch(name);
  if (fd === undefined) return null;
  try {
    return JSON.parse(readUnnamedFile(fd)) as unknown;
  } finally {
    closeFile(fd);
  }
}
