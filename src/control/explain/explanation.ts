import type { RouteVerdict } from '../../match/explain-routes.ts';

/** A request that somebody wants explained. */
export interface ExplainRequest {
  readonly method: string;
  /** `http://api.example.com/v1?x=1`, or a path, for which `Host` is among the headers or none. */
  readonly url: string;
  /** Field lines: `Name: value`. */
  readonly headers: readonly string[];
  /** The address that the connection comes from; default 127.0.0.1. */
  readonly ip: string | null;
  /** Name; default: the one that listens on the URL's port, else the first one for http. */
  readonly listener: string | null;
  readonly protocol: 'http/1.0' | 'http/1.1';
}

/** Why a request goes where it goes. */
export interface Explanation {
  /** What becomes of the request now, in a sentence. */
  readonly outcome: string;
  /** When it was asked, ms of the epoch. */
  readonly atMs: number;
  readonly listener: string;
  readonly request: ExplainedRequest;
  /** It is answered here whatever the routes say; null where it is not. */
  readonly refused: { readonly status: number; readonly reason: string } | null;
  /** In written order. */
  readonly routes: readonly RouteVerdict[];
  /** Name of the route that takes it; null = none. */
  readonly route: string | null;
  /** Pools that the route sends it to, the first with a share above 0 first; empty for an answer. */
  readonly pools: readonly ExplainedPool[];
  /** What the route does besides, in words. */
  readonly does: readonly string[];
  /** Hooks that run on it, in order. They are not run here, and may decide otherwise. */
  readonly hooks: readonly ExplainedHooks[];
}

/** A module of hooks that a request meets. */
export interface ExplainedHooks {
  readonly module: string;
  readonly of: 'every route' | 'this route';
  /** What comes of a hook that fails or is late, in words. */
  readonly onFailure: string;
}

/** The request as it is judged. */
export interface ExplainedRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly protocol: string;
  /** The connection's address, and whether its forwarding fields are believed. */
  readonly peer: string;
  readonly isPeerTrusted: boolean;
  /** The counted client address. */
  readonly client: string;
  /** Known where a route asks for them. */
  readonly country: string | null;
  readonly continent: string | null;
  readonly asn: string | null;
}

/** A pool that the request may go to. */
export interface ExplainedPool {
  readonly pool: string;
  /** `the pool of the route`, `10% of a split by client: takes this user`. */
  readonly why: string;
  /**
   * `chosen`: it gets this request. `drawn`: it may, by chance. `others`: it gets other users. `fallback`: it
   * gets what the first one cannot serve.
   */
  readonly role: 'chosen' | 'drawn' | 'others' | 'fallback';
  readonly policy: string;
  readonly says: string;
  readonly isPanic: boolean;
  readonly isBackup: boolean;
  /** What the request meets here: a server, a wait in the queue, or an answer of ours (or the fallback). */
  readonly fate: 'server' | 'waits' | 'refused';
  /** Its circuit breaker, limit, queue and session, each in words; null where it has none, or none is in its way. */
  readonly breaker: string | null;
  readonly limit: string | null;
  readonly queue: string | null;
  readonly session: string | null;
  readonly servers: readonly ExplainedServer[];
  /** Address of the server that the policy names now; null = none. */
  readonly picked: string | null;
  /** How sure that is, or why there is none. */
  readonly pickedWhy: string;
}

/** A server as the policy sees it. */
export interface ExplainedServer {
  readonly address: string;
  readonly isEligible: boolean;
  readonly why: string;
  /** Epoch ms since which it is as `why` says; null where that is not known. */
  readonly sinceMs: number | null;
  /** When and how that changes, in words; null where nothing is to come. */
  readonly next: string | null;
  /** What it weighs now. */
  readonly weight: number;
  /** 0 … 1: the part of its weight that slow start, agent and told load leave it. */
  readonly factor: number;
  /** Why that is less than 1, in words; null when it is not. */
  readonly factorWhy: string | null;
  /** About which part of such requests it gets, 0 … 1; null where that is no matter of weights. */
  readonly share: number | null;
  /** Its tier or zone, in words; null where it is in no group of its own. */
  readonly group: string | null;
  /** Exchanges in flight; null where nothing runs (a file is explained). */
  readonly load: number | null;
  /** Its limit; null = none. */
  readonly loadMax: number | null;
  /** Recent latency in ms; null where there is none. */
  readonly latencyMs: number | null;
}

/** What came of a question. `problem`: `Cannot … as … is required: current value is …`. */
export type ExplainOutcome =
  | { readonly ok: true; readonly explanation: Explanation }
  | { readonly ok: false; readonly problem: string };
