/**
 * Functions of the user's that see exchanges on their way. A module exports them as its default; each
 * worker thread imports it, so state kept in it is that thread's own. `docs/reference/hooks.md` tells all.
 *
 * @example
 * import { defineHooks } from 'evenkeel';
 * export default defineHooks({
 *   onRequest: (request) => request.setHeader('x-seen', 'yes'),
 * });
 */
export interface Hooks {
  /**
   * A request has its route. Gives nothing to let it go on, or an answer or a redirect that ends it here.
   */
  readonly onRequest?: (request: HookRequest) => HookDecision | Promise<HookDecision>;
  /** A server is about to be picked, for the first attempt and for each later one. Synchronous. */
  readonly onPick?: (pick: HookPick) => void;
  /** A server has answered; nothing has gone to the client yet. */
  readonly onResponse?: (response: HookResponse) => void | Promise<void>;
}

/** What `onRequest` may give; nothing lets the request go on. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is such a hook.
export type HookDecision = HookAnswer | HookRedirect | null | undefined | void;

/** Returns its argument; it gives types, nothing else. */
export function defineHooks(hooks: Hooks): Hooks {
  return hooks;
}

/** A request as hooks see it. Texts have one character per octet. */
export interface HookRequest {
  readonly method: string;
  /** Canonical, without its port. */
  readonly host: string;
  /** Canonical, without the query: what routes judge and servers get. */
  readonly path: string;
  /** Without its `?`; empty when there is none. */
  readonly query: string;
  /** Address of the client, as trusted peers say it. */
  readonly client: string;
  readonly route: string;
  readonly requestId: string;
  /** Aborted when the client goes or the hook's time is over: for `fetch` and the like. */
  readonly signal: AbortSignal;
  /** For what one hook has to tell another of the same exchange. */
  readonly notes: Map<string, unknown>;
  /** The value of a header as it came, several joined by `, `; null when it is absent. */
  header(name: string): string | null;
  /** All headers as they came, names in lower case. */
  headers(): readonly (readonly [name: string, value: string])[];
  /** The first cookie of this name, or null. */
  cookie(name: string): string | null;
  /** Replaces a header for the server. Errors: throws for names and values that it cannot take. */
  setHeader(name: string, value: string): void;
  /** Adds a further line. */
  addHeader(name: string, value: string): void;
  removeHeader(name: string): void;
  /** Another path for the server, in canonical form. The route stays the one that was matched. */
  setPath(path: string): void;
  /** Another pool of the configuration. Errors: throws when there is none of this name. */
  choosePool(name: string): void;
}

/** An answer of the hook's own. */
export interface HookAnswer {
  /** 200 to 599. */
  readonly status: number;
  readonly body?: string;
  /** Default `text/plain; charset=utf-8`. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends the client elsewhere. */
export interface HookRedirect {
  /** A URL or a path. */
  readonly redirect: string;
  /** Default 302. */
  readonly status?: 301 | 302 | 303 | 307 | 308;
}

/** Who may be picked now. */
export interface HookPick {
  readonly request: HookRequest;
  readonly pool: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** Servers that are eligible, without those that this request has tried. */
  readonly servers: readonly HookServer[];
  /** Takes a server of `servers` out, for this request. */
  exclude(address: string): void;
}

/** A server as hooks see it. */
export interface HookServer {
  readonly address: string;
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Exchanges on it now, over all workers. */
  readonly inFlight: number;
}

/** A server's answer as hooks see it. */
export interface HookResponse {
  readonly request: HookRequest;
  readonly status: number;
  /** Address of the server. */
  readonly server: string;
  /** The value of a header as it came; null when it is absent. */
  header(name: string): string | null;
  /** All headers as they came, names in lower case. */
  headers(): readonly (readonly [name: string, value: string])[];
  /** Replaces a header for the client. Errors: throws for names and values that it cannot take. */
  setHeader(name: string, value: string): void;
  addHeader(name: string, value: string): void;
  removeHeader(name: string): void;
}

/** A module of hooks in the snapshot. */
export interface HookModule {
  /** Absolute path. */
  readonly path: string;
  /** Changes with the module and with what it imports: another one is imported anew. */
  readonly version: string;
  /** How long one hook may take. */
  readonly timeoutMs: number;
  /** When a hook throws or is late: the exchange goes on without it, or is answered with an error. */
  readonly onFailure: 'pass' | 'refuse';
}
