import { connect, isIP, type Socket } from 'node:net';

import { invariant } from '../../base/invariant.ts';
import { limits } from '../../model/limits.ts';
import type { DialAddress } from '../../model/snapshot.ts';
import { Alarm } from '../alarm.ts';
import { onceMoved } from '../doorbell.ts';
import type { DialTarget, Driver, Link, LinkHandler, Listening, ListenTarget } from '../driver.ts';
import { PlainBuffers } from '../plain-buffers.ts';
import { descriptorCeiling, descriptorOf } from './descriptors.ts';
import { type LinkEnds, type LinkHost, PortableLink } from './link.ts';
import { PortableListening } from './listening.ts';

/**
 * The driver for everywhere: links, listeners and time on `node:net`, with the behaviour of the `uring` one.
 * `worker`: index of the worker thread, only shown. Cost: memory for buffers is reserved, not used.
 */
export function createPortableDriver(options: { readonly worker: number }): Driver {
  return new PortableDriver(options.worker);
}

class PortableDriver implements Driver, LinkHost {
  readonly name = 'portable';
  readonly buffers: PlainBuffers = new PlainBuffers();
  onTick: (nowMs: number) => void = doNothing;
  acceptFailures = 0;
  readonly #worker: number;
  readonly #ceiling: number = descriptorCeiling();
  readonly #links = new Set<PortableLink>();
  /** Links with a write under way; at most all of them. */
  readonly #writing = new Set<PortableLink>();
  /** Links that wait for a buffer, first come first served; at most all of them. */
  #waiting: PortableLink[] = [];
  #isServingDue = false;
  readonly #listenings = new Set<PortableListening>();
  #nowMs: number = Math.floor(performance.now());
  #nowUs = 0;
  #isClosing = false;
  readonly #ticking: NodeJS.Timeout;
  readonly #alarm: Alarm = new Alarm();

  constructor(worker: number) {
    this.#worker = worker;
    this.buffers.whenFreed(this.#onFreed);
    this.#ticking = setInterval(this.#tick, limits.timerTickMs);
  }

  get openLinks(): number {
    return this.#links.size;
  }

  get openListeners(): number {
    return this.#listenings.size;
  }

  now(): number {
    return this.#nowMs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  preciseNow(): number {
    return performance.now();
  }

  listen(target: ListenTarget, onAccept: (link: Link) => void): Listening {
    const listening: PortableListening = new PortableListening(
      {
        ceiling: this.#ceiling,
        accept: (socket, localPort) => this.#accept(socket, localPort, onAccept),
        onStarved: () => {
          this.acceptFailures++;
        },
        onStopped: () => this.#listenings.delete(listening),
      },
      target,
    );
    this.#listenings.add(listening);
    return listening;
  }

  prepare(address: DialAddress): DialTarget {
    if (address.kind === 'ip') {
      invariant(isIP(address.host) !== 0, 'a server is dialled by its numeric address');
    }
    return { address };
  }

  dial(target: DialTarget, handler: LinkHandler): Link {
    const { address } = target;
    const isUnix = address.kind === 'unix';
    const socket = isUnix
      ? connect({ path: address.path, allowHalfOpen: true })
      : connect({
          host: address.host,
          port: address.port,
          allowHalfOpen: true,
          noDelay: true,
          autoSelectFamily: false,
        });
    return this.#open(socket, handler, {
      isConnected: false,
      isUnix,
      remoteAddress: isUnix ? '' : plainAddress(address.host),
      remotePort: isUnix ? 0 : address.port,
      localPort: 0,
    });
  }

  alarm(ms: number, ring: (nowMs: number) => void): void {
    this.#alarm.set(ms, () => ring(this.enter()));
  }

  whenMoved(words: Int32Array, index: number, seen: number, ring: (nowMs: number) => void): void {
    onceMoved(words, index, seen, () => ring(this.enter()));
  }

  gauges(): Record<string, number> {
    return {
      worker: this.#worker,
      linksOpen: this.#links.size,
      linksWriting: this.#writing.size,
      linksWaitingForBuffer: this.#waiting.length,
      listenings: this.#listenings.size,
      buffersInUse: this.buffers.inUse,
      buffersTouched: this.buffers.touchedCount,
      acceptFailures: this.acceptFailures,
    };
  }

  close(): void {
    this.#isClosing = true;
    for (const listening of this.#listenings) listening.stop();
    this.#endWhenIdle();
  }

  enter(): number {
    const preciseMs = performance.now();
    this.#nowMs = Math.floor(preciseMs);
    this.#nowUs = (preciseMs * 1000) | 0;
    return this.#nowMs;
  }

  waitForBuffer(link: PortableLink): void {
    this.#waiting.push(link);
  }

  watch(link: PortableLink): void {
    this.#writing.add(link);
  }

  unwatch(link: PortableLink): void {
    this.#writing.delete(link);
  }

  onConnected(socket: Socket): void {
    if (descriptorOf(socket) < this.#ceiling) return;
    for (const listening of this.#listenings) listening.starve();
  }

  onGone(link: PortableLink): void {
    this.#links.delete(link);
    this.#endWhenIdle();
  }

  #accept(socket: Socket, localPort: number, onAccept: (link: Link) => void): void {
    const { remoteAddress } = socket;
    onAccept(
      this.#open(socket, unset, {
        isConnected: true,
        // A connection that is already gone has no address either; a reset of it is then a plain close.
        isUnix: remoteAddress === undefined,
        remoteAddress: plainAddress(remoteAddress ?? ''),
        remotePort: socket.remotePort ?? 0,
        localPort,
      }),
    );
  }

  #open(socket: Socket, handler: LinkHandler, ends: LinkEnds): Link {
    const link = new PortableLink(this, socket, handler, ends);
    this.#links.add(link);
    return link;
  }

  #endWhenIdle(): void {
    if (!this.#isClosing || this.#links.size > 0) return;
    clearInterval(this.#ticking);
    this.#alarm.stop();
  }

  readonly #tick = (): void => {
    this.enter();
    for (const link of this.#writing) link.pollProgress();
    for (const listening of this.#listenings) listening.retry();
    this.onTick(this.#nowMs);
  };

  readonly #onFreed = (): void => {
    if (this.#waiting.length === 0 || this.#isServingDue) return;
    this.#isServingDue = true;
    setImmediate(this.#serveWaiting);
  };

  /** Every waiting link gets one try; those that find no buffer wait again, behind the others. */
  readonly #serveWaiting = (): void => {
    this.#isServingDue = false;
    this.enter();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const link of waiting) link.pump();
  };
}

/** Stands in until `onAccept` has set the link's own handler. */
const unset: LinkHandler = {
  onConnected: mustBeSet,
  onReceive: mustBeSet,
  onEnd: mustBeSet,
  onDrain: mustBeSet,
  onClosed: mustBeSet,
};

function mustBeSet(): void {
  invariant(false, 'onAccept sets the handler of a link');
}

/** IPv4 addresses that an IPv6 socket shows as `::ffff:a.b.c.d` are shown as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function doNothing(): void {}
