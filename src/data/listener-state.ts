import type { FailureCode } from '../model/failure.ts';
import { limits } from '../model/limits.ts';
import { ListenerColumn } from '../observe/columns.ts';
import type { Listening } from '../platform/driver.ts';
import type { Plane } from './plane.ts';
import type { ListenerTable } from './table.ts';

/** A downstream link as its listener sees it. */
export interface ListenerLink {
  previous: ListenerLink | null;
  next: ListenerLink | null;
  /** Ends when its present exchange is over, at once when none runs. */
  leave(): void;
  /** Ends at once. */
  cut(): void;
  /** Slot of the server that its present exchange or tunnel is on; -1 = none. */
  readonly serverSlot: number;
  /** Ends what runs, because its server is to be free. */
  endFor(code: FailureCode): void;
}

/** One listener of this worker over reloads: its socket, its links, its counters. */
export class ListenerState {
  current: ListenerTable;
  listening: Listening | null = null;
  /** Removed from the configuration, or the process drains: links end after their present exchange. */
  isLeaving = false;
  linkCount = 0;
  readonly #plane: Plane;
  readonly #cells: Float64Array;
  #first: ListenerLink | null = null;

  constructor(plane: Plane, current: ListenerTable) {
    this.#plane = plane;
    this.#cells = plane.cells;
    this.current = current;
  }

  addLink(link: ListenerLink): void {
    this.linkCount++;
    link.next = this.#first;
    if (this.#first !== null) this.#first.previous = link;
    this.#first = link;
    const { words, worker } = this.#plane;
    Atomics.add(words.links, 0, 1);
    Atomics.add(words.linksByWorker, this.#row(worker), 1);
    this.#cells[this.current.counters + ListenerColumn.ACCEPTED]! += 1;
  }

  removeLink(link: ListenerLink): void {
    this.linkCount--;
    if (link.previous !== null) link.previous.next = link.next;
    else this.#first = link.next;
    if (link.next !== null) link.next.previous = link.previous;
    link.previous = null;
    link.next = null;
    const { words, worker } = this.#plane;
    Atomics.sub(words.links, 0, 1);
    Atomics.sub(words.linksByWorker, this.#row(worker), 1);
    this.#cells[this.current.counters + ListenerColumn.CLOSED]! += 1;
  }

  countBytesIn(bytes: number): void {
    this.#cells[this.current.counters + ListenerColumn.BYTES_IN]! += bytes;
  }

  countBytesOut(bytes: number): void {
    this.#cells[this.current.counters + ListenerColumn.BYTES_OUT]! += bytes;
  }

  /** Stops accepting and lets every link end after its present exchange. */
  leave(): void {
    this.isLeaving = true;
    this.listening?.stop();
    this.listening = null;
    for (let link = this.#first; link !== null; ) {
      const next: ListenerLink | null = link.next;
      link.leave();
      link = next;
    }
  }

  /** Ends every link at once. */
  cut(): void {
    for (let link = this.#first; link !== null; ) {
      const next: ListenerLink | null = link.next;
      link.cut();
      link = next;
    }
  }

  /** Adds the links to `into` whose exchange or tunnel is on a server. */
  gatherOn(slot: number, into: ListenerLink[]): void {
    for (let link = this.#first; link !== null; link = link.next) {
      if (link.serverSlot === slot) into.push(link);
    }
  }

  #row(worker: number): number {
    return worker * limits.listeners + this.current.listener.slot;
  }
}
