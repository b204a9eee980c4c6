import { closeSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';

import { suspect } from '../../base/invariant.ts';
import type { Listening, ListenTarget } from '../driver.ts';
import { descriptorOf } from './descriptors.ts';
import { duplicate } from './dup.ts';

/** Connections that may wait in the kernel: its own default ceiling (`somaxconn`, Linux 5.4 and later). */
const BACKLOG = 4096;

/** Connections held by us while paused where the socket cannot be given back: Node's default backlog. */
const HELD_MAX = 511;

/** What a listening socket needs of its driver. */
export interface ListeningHost {
  /** First descriptor number at which accepting pauses. */
  readonly ceiling: number;
  accept(socket: Socket, localPort: number): void;
  onStarved(): void;
  onStopped(): void;
}

/**
 * A `Listening` on a server of `node:net`, which cannot stop accepting without closing its descriptor. So the
 * socket proper is kept under a descriptor that no server owns, and a server works on a duplicate of it:
 * `pause()` closes the duplicate, the kernel's queue waits, `resume()` makes another.
 *
 *   stored descriptor ──── lives until stop() (ours) or longer (given to us)
 *     └ duplicate ──────── server: exists only while we accept
 *
 * Where nothing can be duplicated, a paused listener holds up to 511 accepted connections itself.
 */
export class PortableListening implements Listening {
  port = 0;
  readonly #host: ListeningHost;
  #server: Server | null = null;
  #storedFd = -1;
  #isStoredOurs = false;
  #isPaused = false;
  #isStarved = false;
  #isStopped = false;
  readonly #held: Socket[] = [];

  /**
   * Errors: throws when a descriptor is no listening socket; an address that cannot be bound is thrown a turn later,
   * when the system says so.
   */
  constructor(host: ListeningHost, target: ListenTarget) {
    this.#host = host;
    if (target.kind === 'descriptor') {
      this.#storedFd = target.fd;
      this.#openDuplicate();
      if (this.#isStarved) host.onStarved();
      return;
    }
    const { address } = target;
    if (address.kind === 'unix') this.#bind({ path: address.path });
    else this.#bind({ host: address.host, port: address.port });
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#closeServer();
    for (const socket of this.#held.splice(0)) socket.destroy();
    if (this.#isStoredOurs) closeSync(this.#storedFd);
    this.#storedFd = -1;
    this.#host.onStopped();
  }

  pause(): void {
    if (this.#isPaused || this.#isStopped) return;
    this.#isPaused = true;
    if (this.#storedFd >= 0) this.#closeServer();
  }

  resume(): void {
    if (!this.#isPaused || this.#isStopped) return;
    this.#isPaused = false;
    if (this.#storedFd >= 0 && this.#server === null) this.#openDuplicate();
    // Not from inside this method: the held links' users would be called from it.
    else if (this.#held.length > 0) setImmediate(this.#handOverHeld);
  }

  /** Stops accepting until `retry()` finds a free descriptor. */
  starve(): void {
    if (this.#isStarved || this.#isStopped || this.#storedFd < 0 || this.#server === null) return;
    this.#isStarved = true;
    this.#closeServer();
    this.#host.onStarved();
  }

  /** On every tick: goes on accepting when descriptors are free again. */
  retry(): void {
    if (!this.#isStarved || this.#isStopped) return;
    this.#isStarved = false;
    if (!this.#isPaused) this.#openDuplicate();
  }

  #openDuplicate(): void {
    const copy = duplicate(this.#storedFd);
    if (copy.fd >= this.#host.ceiling || copy.errno === EMFILE) {
      if (copy.fd >= 0) closeSync(copy.fd);
      this.#isStarved = true;
      return;
    }
    if (copy.fd < 0) throw refusal(this.#storedFd, `errno ${copy.errno}`);
    const server = this.#createServer();
    server.listen({ fd: copy.fd, backlog: BACKLOG, exclusive: true });
    if (!server.listening) {
      closeSync(copy.fd);
      throw refusal(this.#storedFd, 'another kind of descriptor');
    }
    this.#server = server;
    this.#notePort(server);
  }

  #bind(options: ListenOptions): void {
    const server = this.#createServer();
    this.#server = server;
    server.listen({ ...options, backlog: BACKLOG, exclusive: true }, () => {
      if (this.#isStopped) return;
      this.#notePort(server);
      // Closing the server of a Unix socket removes its path, so that one is never exchanged for a duplicate.
      if (options.path === undefined) this.#store(server);
      if (this.#isPaused && this.#storedFd >= 0) this.#closeServer();
    });
  }

  #store(server: Server): void {
    const fd = descriptorOf(server);
    if (fd < 0) return;
    try {
      const copy = duplicate(fd);
      if (copy.fd < 0) return;
      this.#storedFd = copy.fd;
      this.#isStoredOurs = true;
    } catch (error) {
      // Without FFI (rare systems) pausing falls back to holding accepted connections.
      suspect(false, error instanceof Error ? error.message : 'the socket was not duplicated');
    }
  }

  #createServer(): Server {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#onConnection(server, socket);
    });
    server.on('error', (error: NodeJS.ErrnoException) => this.#onError(server, error));
    return server;
  }

  #onConnection(server: Server, socket: Socket): void {
    if (this.#isStopped || (this.#isPaused && this.#held.length >= HELD_MAX)) {
      socket.destroy();
      return;
    }
    const isStarved = descriptorOf(socket) >= this.#host.ceiling;
    if (this.#isPaused && server === this.#server) {
      socket.pause();
      // A held connection may die; #handOverHeld sees that it is destroyed.
      socket.on('error', ignoreError);
      this.#held.push(socket);
    } else {
      this.#host.accept(socket, this.port);
    }
    if (isStarved) this.starve();
  }

  readonly #handOverHeld = (): void => {
    while (this.#held.length > 0 && !this.#isPaused && !this.#isStopped) {
      const socket = this.#held.shift() as Socket;
      if (socket.destroyed) continue;
      socket.off('error', ignoreError);
      this.#host.accept(socket, this.port);
    }
  };

  #onError(server: Server, error: NodeJS.ErrnoException): void {
    if (server !== this.#server) return;
    if (error.syscall !== 'accept') throw error;
    if (error.code === 'EMFILE' || error.code === 'ENFILE') this.starve();
    else suspect(false, `accept failed: ${error.code ?? error.message}`);
  }

  #notePort(server: Server): void {
    const address = server.address();
    if (address !== null && typeof address === 'object') this.port = address.port;
  }

  #closeServer(): void {
    this.#server?.close();
    this.#server = null;
  }
}

const EMFILE = 24;

function ignoreError(): void {}

function refusal(fd: number, found: string): Error {
  return new Error(
    `Cannot listen on descriptor ${fd} as it must be a listening socket: current value is ${found}`,
  );
}
