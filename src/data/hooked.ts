import type { HookRequest, HookResponse } from '../model/hooks.ts';
import type { Head } from '../wire/http1/head.ts';
import type { CompiledHooks } from './compiled-hooks.ts';
import type { Exchange } from './exchange.ts';
import { HeadLines } from './head-lines.ts';
import { HookEdits } from './hook-edits.ts';
import type { Plane } from './plane.ts';
import { latin1, pathText, requestIdOf } from './request-text.ts';
import type { CompiledPool } from './table.ts';

/** What an exchange keeps while hooks go with it; made only where its route has hooks. */
export class Hooked {
  readonly hooks: CompiledHooks;
  readonly request: RequestFacade;
  readonly lines: HeadLines;
  readonly requestEdits: HookEdits = new HookEdits(true);
  responseEdits: HookEdits | null = null;
  /** Path and pool that a hook chose; null = as matched. */
  path: string | null = null;
  pool: CompiledPool | null = null;
  /** The exchange has ended: what hooks still do is for nobody. */
  isOver = false;
  /** Runs when the exchange ends while a hook is waited for. */
  onOver: (() => void) | null = null;
  #abort: AbortController | null = null;

  constructor(plane: Plane, exchange: Exchange, hooks: CompiledHooks, head: Head) {
    this.hooks = hooks;
    this.lines = new HeadLines(head);
    this.request = new RequestFacade(this, exchange, head, requestIdOf(plane, exchange));
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isOver) this.#abort.abort();
    return this.#abort.signal;
  }

  /** The present hook is waited for no longer. */
  cancel(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** The exchange has ended. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    const { onOver } = this;
    this.onOver = null;
    onOver?.();
    this.cancel();
  }
}

/** `HookRequest` over an exchange. */
export class RequestFacade implements HookRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly client: string;
  readonly route: string;
  readonly requestId: string;
  readonly notes: Map<string, unknown> = new Map();
  readonly #hooked: Hooked;
  readonly #pools: ReadonlyMap<string, CompiledPool>;

  constructor(hooked: Hooked, exchange: Exchange, head: Head, requestId: string) {
    this.#hooked = hooked;
    this.#pools = exchange.listener!.table.pools;
    this.method = latin1(head.bytes, head.methodStart, head.methodEnd);
    this.host = latin1(head.hostBytes, head.hostStart, head.hostEnd);
    this.path = pathText(head);
    this.query = latin1(head.bytes, Math.min(head.queryStart + 1, head.queryEnd), head.queryEnd);
    this.client = exchange.clientAddress;
    this.route = exchange.route!.route.name;
    this.requestId = requestId;
  }

  get signal(): AbortSignal {
    return this.#hooked.signal;
  }

  header(name: string): string | null {
    return this.#hooked.lines.get(name);
  }

  headers(): readonly (readonly [string, string])[] {
    return this.#hooked.lines.all();
  }

  cookie(name: string): string | null {
    for (const pair of (this.#hooked.lines.get('cookie', ';') ?? '').split(';')) {
      const at = pair.indexOf('=');
      if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
    }
    return null;
  }

  setHeader(name: string, value: string): void {
    this.#hooked.requestEdits.set(name, value);
  }

  addHeader(name: string, value: string): void {
    this.#hooked.requestEdits.add(name, value);
  }

  removeHeader(name: string): void {
    this.#hooked.requestEdits.remove(name);
  }

  setPath(path: string): void {
    if (typeof path !== 'string' || !/^\/[!-"$->@-~]*$/.test(path)) {
      const required = 'it must begin with a slash and have no query';
      throw new TypeError(`Cannot set the path as ${required}: current value is ${path}`);
    }
    this.#hooked.path = path;
  }

  choosePool(name: string): void {
    const pool = this.#pools.get(name);
    if (pool === undefined) {
      const names = [...this.#pools.keys()].join(', ');
      throw new TypeError(
        `Cannot choose a pool as one of ${names} is required: current value is ${name}`,
      );
    }
    this.#hooked.pool = pool;
  }
}

/** `HookResponse` over an answer. */
export class ResponseFacade implements HookResponse {
  readonly request: HookRequest;
  readonly status: number;
  readonly server: string;
  readonly lines: HeadLines;
  readonly #edits: HookEdits;

  constructor(hooked: Hooked, head: Head, server: string) {
    this.request = hooked.request;
    this.status = head.status;
    this.server = server;
    this.lines = new HeadLines(head);
    this.#edits = new HookEdits(false);
    hooked.responseEdits = this.#edits;
  }

  header(name: string): string | null {
    return this.lines.get(name);
  }

  headers(): readonly (readonly [string, string])[] {
    return this.lines.all();
  }

  setHeader(name: string, value: string): void {
    this.#edits.set(name, value);
  }

  addHeader(name: string, value: string): void {
    this.#edits.add(name, value);
  }

  removeHeader(name: string): void {
    this.#edits.remove(name);
  }
}
