import { Head } from '../wire/http1/head.ts';
import type { Client, Clients } from './client.ts';
import { textOf } from './value-text.ts';

/** What facts come from besides the request itself. */
export interface FactMeans {
  readonly clients: Clients;
  /** ms since 1970. */
  readonly wallClock: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/**
 * What conditions are judged by: the present request's head and its client. One object per set of
 * routes, refilled per request; what costs something is worked out when a condition asks for it.
 */
export class RequestFacts {
  head: Head = new Head();
  /** The peer's forwarding fields are believed. */
  isPeerTrusted = false;
  /** Another number for every request: what was worked out for another one is stale. */
  generation = 0;
  readonly wallClock: () => number;
  readonly random: () => number;
  readonly #clients: Clients;
  #address = '';
  #client: Client | null = null;
  #path: string | null = null;

  constructor(means: FactMeans) {
    this.wallClock = means.wallClock;
    this.random = means.random;
    this.#clients = means.clients;
  }

  /** Takes over a request; `address` is the counted client address, empty for a Unix socket. */
  take(head: Head, address: string, isPeerTrusted: boolean): void {
    this.head = head;
    this.isPeerTrusted = isPeerTrusted;
    this.generation = (this.generation + 1) | 0;
    this.#address = address;
    this.#client = null;
    this.#path = null;
  }

  /** Cost: one map read for an address that was seen lately. */
  get client(): Client {
    this.#client ??= this.#clients.of(this.#address);
    return this.#client;
  }

  /** The canonical path as text. */
  get path(): string {
    const { head } = this;
    this.#path ??= textOf(head.pathBytes, head.pathStart, head.pathEnd);
    return this.#path;
  }
}
