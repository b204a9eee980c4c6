/** What a route does beside naming one pool; plain data, part of the snapshot. Null or empty: nothing. */
export interface RouteActions {
  readonly split: Split | null;
  /** Pool that takes a request which the route's own could not serve. */
  readonly fallback: string | null;
  readonly mirror: Mirror | null;
  readonly redirect: Redirect | null;
  readonly rewrite: Rewrite | null;
  readonly requestHeaders: HeaderRules | null;
  readonly responseHeaders: HeaderRules | null;
  /** The route's own, before those of the whole configuration. */
  readonly errors: readonly ErrorPage[];
}

/** Several pools instead of one, each with its share of the users. */
export interface Split {
  readonly by: SplitKey;
  readonly shares: readonly SplitShare[];
}

/** What keeps a user on its side; requests without it go by their client. */
export type SplitKey =
  | { readonly kind: 'client' | 'request' }
  | { readonly kind: 'cookie' | 'header'; readonly name: string };

/** One pool of a split. */
export interface SplitShare {
  readonly pool: string;
  /** ≥ 0; its share is this over the sum of all. */
  readonly weight: number;
}

/** Copies of requests for another pool, whose answers nobody sees. */
export interface Mirror {
  readonly pool: string;
  /** 0–1: share of the requests that are copied. */
  readonly share: number;
  /** Longest request body that is copied. */
  readonly bodyBytesMax: number;
  /** For a whole copy, from dial to last byte. */
  readonly timeoutMs: number;
  /** Copies under way at a time in each worker. */
  readonly pendingMax: number;
}

/** An answer that sends the client elsewhere. `to`: a template. */
export interface Redirect {
  readonly to: string;
  readonly status: number;
}

/** How host and path change on their way to a server. All texts but `host` and `path` are literal. */
export interface Rewrite {
  /** Template of the Host field, or null. */
  readonly host: string | null;
  /** Template of the whole path, or null. */
  readonly path: string | null;
  readonly stripPrefix: string | null;
  readonly addPrefix: string | null;
  /** Regular expression over the path with what stands for its first match (`$1`: a group). */
  readonly pattern: { readonly match: string; readonly replace: string } | null;
}

/** Changes of header lines, in this order: remove, set, add. Values are templates. */
export interface HeaderRules {
  readonly remove: readonly string[];
  readonly set: readonly HeaderLine[];
  readonly add: readonly HeaderLine[];
}

/** A name as written and the template of its value. */
export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** What the client sees instead of a plain error of ours, or of a server's. */
export interface ErrorPage {
  /** Statuses from … to, inclusive. */
  readonly first: number;
  readonly last: number;
  /** A template; literal where it came from a file. */
  readonly body: string;
  /** Where the body comes from; null = written in the configuration. */
  readonly file: string | null;
  readonly contentType: string;
  /** Servers' answers with these statuses are replaced too. */
  readonly replacesUpstream: boolean;
}
