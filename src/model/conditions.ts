/** What a value of a header, query or cookie must be. */
export type TextTest =
  /** One of these, exactly. */
  | { readonly kind: 'any-of'; readonly texts: readonly string[] }
  | { readonly kind: 'present'; readonly isPresent: boolean }
  | { readonly kind: 'prefix'; readonly text: string }
  /** A pattern in RE2's syntax that is found somewhere in it. */
  | { readonly kind: 'pattern'; readonly pattern: string }
  /** Holds where the inner one does not, so for an absent value too. */
  | { readonly kind: 'not'; readonly of: TextTest };

/** A window of local time. */
export interface TimeWindow {
  /** Days on which the window begins; 0 is Sunday; empty = every day. */
  readonly days: readonly number[];
  /** Minutes since midnight, the first one inside and the first one after; equal = the whole day. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** IANA name of the zone: `Europe/Berlin`. */
  readonly zone: string;
}

/** One thing that a request must have besides host, path and method of its route. */
export type Condition =
  /** Only inside `any`, `all` and `not`: host, path and method as in a route's match. */
  | {
      readonly kind: 'target';
      readonly hosts: readonly string[];
      readonly paths: readonly string[];
      readonly methods: readonly string[];
    }
  /** Patterns in RE2's syntax, one of which is found in the canonical path. */
  | { readonly kind: 'path-pattern'; readonly patterns: readonly string[] }
  /** Some value of this name passes; header names in lower case. */
  | {
      readonly kind: 'header' | 'query' | 'cookie';
      readonly name: string;
      readonly test: TextTest;
    }
  /** Media types in lower case, `text/*` for a whole family; one of them. */
  | { readonly kind: 'content-type'; readonly types: readonly string[] }
  /** Declared bytes of the body, inclusive; a chunked body declares none and never fits. */
  | { readonly kind: 'size'; readonly minBytes: number; readonly maxBytes: number | null }
  /**
   * One of these texts: `http/1.0`; two-letter codes in upper case; `AF AN AS EU NA OC SA`; numbers
   * of autonomous systems.
   */
  | {
      readonly kind: 'protocol' | 'country' | 'continent' | 'asn';
      readonly texts: readonly string[];
    }
  /** The counted client address is in one of these ranges, those of the files included. */
  | {
      readonly kind: 'client';
      readonly ranges: readonly string[];
      /** Files that `ranges` were read from besides; a change of one is a change of the route. */
      readonly files: readonly string[];
    }
  | { readonly kind: 'time'; readonly window: TimeWindow }
  /** Takes this share of requests at random: 0–1. */
  | { readonly kind: 'share'; readonly ratio: number }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition };
