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
  /** `its pool`, `10% of a split by client: this user`, `fallback`. */
  readonly why: string;
  readonly policy: string;
  readonly says: string;
  readonly isPanic: boolean;
  readonly isBackup: boolean;
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
  readonly weight: number;
  /** Exchanges in flight; null where nothing runs (a file is explained). */
  readonly load: number | null;
  /** Recent latency in ms; null where there is none. */
  readonly latencyMs: number | null;
}

/** What came of a question. `problem`: `Cannot … as … is required: current value is …`. */
export type ExplainOutcome =
  | { readonly ok: true; readonly explanation: Explanation }
  | { readonly ok: false; readonly problem: string };
