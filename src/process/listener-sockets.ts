import type { ConfigListener } from '../control/config/config.ts';
import type { ListenSocket } from '../model/messages.ts';
import { removeSocketFile } from '../platform/files.ts';
import {
  closeDescriptor,
  formatAddress,
  ListenRefusal,
  openListeners,
  refuseConnections,
} from '../platform/sockets.ts';
import type { StoreClient } from './store-client.ts';

/** Names of listeners in the supervisor's store; other names there are the balancer's own. */
const PREFIX = 'listener ';
/** How keys of Unix sockets begin; their path follows. */
const UNIX = 'unix:';
/** A socket that we closed a moment ago may still be held by a worker that ends its accept. */
const REOPEN_MS = 50;
const REOPEN_TRIES = 20;

interface Opened {
  readonly fds: readonly number[];
  readonly port: number;
}

/** What a change of listeners needs: done before it is published, and after. */
export interface ListenerChange {
  /**
   * Closes the sockets that are in use no more, here and in the store. After all workers applied.
   */
  finish(): Promise<void>;
  /** Closes what was opened for the change and keeps what was. */
  undo(): Promise<void>;
}

/** What the sockets of a balancer are opened with. */
export interface ListenerMeans {
  /** Null: nobody keeps copies. */
  readonly store: StoreClient | null;
  /**
   * False where descriptors cannot be passed: each listener is then an address for the one worker.
   */
  readonly hasDescriptors: boolean;
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * The listening sockets of the balancer, one per worker and address, with copies at the supervisor.
 * Sockets belong to an address, not to a listener's name: renaming a listener keeps its queue.
 */
export class ListenerSockets {
  readonly #means: ListenerMeans;
  readonly #opened = new Map<string, Opened>();
  #listeners: readonly ConfigListener[] = [];
  /** Sockets per address; set before the first `change`. */
  workers = 1;

  constructor(means: ListenerMeans) {
    this.#means = means;
  }

  /**
   * Takes back the sockets that a balancer before us left in the store. Returns how many there are
   * per address (each must have its worker, else its connections wait for ever); null when there
   * are none.
   */
  async adopt(): Promise<number | null> {
    const { store } = this.#means;
    let perAddress: number | null = null;
    for (const { name, meta } of (await store?.list()) ?? []) {
      if (!name.startsWith(PREFIX)) continue;
      const key = name.slice(PREFIX.length);
      const { port } = meta as { port: number };
      const fds = (await store?.fetch(name)) ?? [];
      this.#opened.set(key, { fds, port });
      if (!key.startsWith(UNIX)) perAddress = Math.max(perAddress ?? 0, fds.length);
    }
    return perAddress;
  }

  /**
   * Opens what the listeners need and deposits it; what they need no more stays open until
   * `finish`. Errors: rejects with `ListenRefusal` and leaves everything as it was.
   */
  async change(listeners: readonly ConfigListener[]): Promise<ListenerChange> {
    const before = this.#listeners;
    const added: string[] = [];
    const undo = async (): Promise<void> => {
      this.#listeners = before;
      for (const key of added) await this.#close(key);
    };
    try {
      for (const listener of listeners) {
        const key = keyOf(listener);
        if (this.#opened.has(key)) continue;
        const opened = await this.#open(listener);
        this.#opened.set(key, opened);
        added.push(key);
        if (opened.fds.length === 0) continue;
        await this.#means.store?.deposit(PREFIX + key, opened.fds, { port: opened.port });
      }
    } catch (error) {
      await undo();
      throw error;
    }
    this.#listeners = listeners;
    return { undo, finish: () => this.#closeUnused() };
  }

  /** The sockets of one worker by listener name. A Unix socket is one and belongs to worker 0. */
  socketsOf(worker: number): Record<string, ListenSocket> {
    const sockets: Record<string, ListenSocket> = {};
    for (const listener of this.#listeners) {
      const opened = this.#opened.get(keyOf(listener));
      const fd = opened?.fds[worker];
      const { bind } = listener;
      if (fd !== undefined) sockets[listener.name] = { kind: 'descriptor', fd };
      else if (opened?.fds.length === 0 && bind.kind !== 'unix' && worker === 0) {
        const host = bind.kind === 'any' ? '::' : bind.host;
        sockets[listener.name] = { kind: 'address', host, port: bind.port };
      }
    }
    return sockets;
  }

  /** The port in use of a listener; 0 for Unix sockets and unknown names. */
  portOf(name: string): number {
    const listener = this.#listeners.find((each) => each.name === name);
    return listener === undefined ? 0 : (this.#opened.get(keyOf(listener))?.port ?? 0);
  }

  /**
   * Once a change cannot be undone any more: the sockets that it leaves unused refuse connections,
   * while workers still accept what had come. True when there are such.
   */
  refuseUnused(): boolean {
    const unused = this.#unused();
    for (const key of unused) this.#refuse(key);
    return unused.length > 0;
  }

  /**
   * New connections are refused from now on, for good; what the kernel has completed can still be
   * accepted. Then gives the supervisor's copies up, so that ours are the last and each closes with
   * its worker's. Where refusing needs a newer kernel, connections are reset that come between the
   * last accept and the close.
   */
  async refuse(): Promise<void> {
    const { store } = this.#means;
    for (const key of this.#opened.keys()) this.#refuse(key);
    for (const key of this.#opened.keys()) await dropCopies(store, key);
  }

  /** Closes ours; what the store has belongs to a successor. */
  release(): void {
    for (const { fds } of this.#opened.values()) for (const fd of fds) closeDescriptor(fd);
    this.#opened.clear();
  }

  /** Closes all, here and in the store. */
  async closeAll(): Promise<void> {
    for (const key of [...this.#opened.keys()]) await this.#close(key);
  }

  /** At the end of the process: the files of Unix sockets go, since nobody will answer there. */
  removeSocketFiles(): void {
    for (const { bind } of this.#listeners) if (bind.kind === 'unix') removeSocketFile(bind.path);
  }

  async #open(listener: ConfigListener): Promise<Opened> {
    const { bind } = listener;
    if (!this.#means.hasDescriptors) {
      if (bind.kind !== 'unix') return { fds: [], port: bind.port };
      const why = 'Unix sockets need Linux and koffi';
      throw new ListenRefusal('ENOTSUP', `Cannot listen on ${listener.address} as ${why}`);
    }
    for (let tries = 0; ; tries++) {
      try {
        return openListeners(bind, this.workers);
      } catch (error) {
        const isTaken = error instanceof ListenRefusal && error.code === 'EADDRINUSE';
        if (!isTaken || tries >= REOPEN_TRIES || this.#listeners.length === 0) throw error;
        await this.#means.wait(REOPEN_MS);
      }
    }
  }

  #unused(): readonly string[] {
    const used = new Set(this.#listeners.map(keyOf));
    return [...this.#opened.keys()].filter((key) => !used.has(key));
  }

  async #closeUnused(): Promise<void> {
    for (const key of this.#unused()) await this.#close(key);
  }

  #refuse(key: string): void {
    if (key.startsWith(UNIX)) removeSocketFile(key.slice(UNIX.length));
    else for (const fd of this.#opened.get(key)?.fds ?? []) refuseConnections(fd);
  }

  async #close(key: string): Promise<void> {
    const opened = this.#opened.get(key);
    this.#opened.delete(key);
    for (const fd of opened?.fds ?? []) closeDescriptor(fd);
    if (key.startsWith(UNIX)) removeSocketFile(key.slice(UNIX.length));
    if (opened !== undefined && opened.fds.length > 0) await dropCopies(this.#means.store, key);
  }
}

/** A supervisor that is gone or does not answer must not stop a drain: its copies end with it. */
async function dropCopies(store: StoreClient | null, key: string): Promise<void> {
  await store?.drop(PREFIX + key).catch(() => undefined);
}

/**
 * Two listeners that let the system choose a port have the same address and are told apart by name.
 */
function keyOf(listener: ConfigListener): string {
  const { bind } = listener;
  const isChosen = bind.kind !== 'unix' && bind.port === 0;
  return isChosen ? `${listener.name} ${formatAddress(bind)}` : formatAddress(bind);
}
