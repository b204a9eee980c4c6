import {
  CookieValues,
  FactValues,
  HeaderValues,
  MediaTypeValues,
  QueryValues,
} from './collectors.ts';
import type { RequestFacts } from './facts.ts';

const encoder = new TextEncoder();

/** Finds the values of one name in a request. */
export interface Collector {
  /** Gives each value to `into.add`. */
  collect(facts: RequestFacts, into: ValueSource): void;
}

/**
 * The values of one name in the present request: of a header, a query parameter, a cookie, or of a
 * fact such as the country. Shared by all conditions that ask for the name, so that a request is
 * searched once for each name however many routes ask.
 *
 * Shape: value `i` is `bytes[i][starts[i], ends[i])`, for `i` below what `read` gives; valid until
 * the next request.
 */
export class ValueSource {
  readonly bytes: Uint8Array[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly #collector: Collector;
  #count = 0;
  #generation = -1;

  constructor(collector: Collector) {
    this.#collector = collector;
  }

  /** How many values there are. Cost: one search of the request for the first caller, then none. */
  read(facts: RequestFacts): number {
    if (this.#generation !== facts.generation) {
      this.#generation = facts.generation;
      this.#count = 0;
      this.#collector.collect(facts, this);
    }
    return this.#count;
  }

  /** For the collector only. */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.bytes[this.#count] = bytes;
    this.starts[this.#count] = start;
    this.ends[this.#count] = end;
    this.#count++;
  }
}

const protocols: readonly Uint8Array[] = [encoder.encode('http/1.0'), encoder.encode('http/1.1')];

/** The sources of one set of routes, one per name. */
export class ValueSources {
  readonly #known = new Map<string, ValueSource>();

  header(name: string): ValueSource {
    return this.#of(`header ${name}`, () => new HeaderValues(name));
  }

  query(name: string): ValueSource {
    return this.#of(`query ${name}`, () => new QueryValues(name));
  }

  cookie(name: string): ValueSource {
    return this.#of(`cookie ${name}`, () => new CookieValues(name, this.header('cookie')));
  }

  get mediaType(): ValueSource {
    return this.#of('media-type', () => new MediaTypeValues(this.header('content-type')));
  }

  get protocol(): ValueSource {
    return this.#of('protocol', () => new FactValues(({ head }) => protocols[head.minor]!));
  }

  get country(): ValueSource {
    return this.#of('country', () => new FactValues((facts) => facts.client.country));
  }

  get continent(): ValueSource {
    return this.#of('continent', () => new FactValues((facts) => facts.client.continent));
  }

  get asn(): ValueSource {
    return this.#of('asn', () => new FactValues((facts) => facts.client.asn));
  }

  #of(key: string, make: () => Collector): ValueSource {
    const known = this.#known.get(key) ?? new ValueSource(make());
    this.#known.set(key, known);
    return known;
  }
}
