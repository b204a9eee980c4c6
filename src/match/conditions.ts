import type { Condition } from '../model/conditions.ts';
import { Framing } from '../wire/http1/head.ts';
import { AddressRanges } from './address-ranges.ts';
import type { RequestFacts } from './facts.ts';
import { type HostIndex, HostIndexBuilder } from './host-index.ts';
import { LocalWindow } from './local-time.ts';
import { MethodFilter } from './method-filter.ts';
import { NO_ORDER, type PathQuery, pathQuery } from './path-index.ts';
import { LinearPattern } from './pattern.ts';
import type { ValueSource, ValueSources } from './value-source.ts';
import { compileTest, ExactTexts, MediaTypes, type ValueTest } from './value-test.ts';

/** A condition of a route, ready to be asked. */
export interface CompiledCondition {
  /** Cost: nothing allocated, patterns and new clients apart. */
  holds(facts: RequestFacts): boolean;
}

/** Compiles conditions that must all hold; null where there are none. */
export function compileConditions(
  conditions: readonly Condition[],
  sources: ValueSources,
): CompiledCondition | null {
  const [only, another] = conditions;
  if (only === undefined) return null;
  return another === undefined
    ? compileCondition(only, sources)
    : new EveryCondition(conditions.map((condition) => compileCondition(condition, sources)));
}

/** Compiles one condition; `sources` are shared by all routes of a table. */
export function compileCondition(condition: Condition, sources: ValueSources): CompiledCondition {
  switch (condition.kind) {
    case 'target':
      return new TargetCondition(condition.hosts, condition.paths, condition.methods);
    case 'path-pattern':
      return new PathCondition(condition.patterns);
    case 'header':
    case 'query':
    case 'cookie': {
      const { test, isNegated } = compileTest(condition.test);
      return new ValueCondition(sources[condition.kind](condition.name), test, isNegated);
    }
    case 'content-type':
      return new ValueCondition(sources.mediaType, new MediaTypes(condition.types), false);
    case 'protocol':
    case 'country':
    case 'continent':
    case 'asn':
      return new ValueCondition(sources[condition.kind], new ExactTexts(condition.texts), false);
    case 'size':
      return new SizeCondition(condition.minBytes, condition.maxBytes);
    case 'client':
      return new ClientCondition(condition.ranges);
    case 'time':
      return new TimeCondition(new LocalWindow(condition.window));
    case 'share':
      return new ShareCondition(condition.ratio);
    case 'all':
      return new EveryCondition(condition.of.map((one) => compileCondition(one, sources)));
    case 'any':
      return new SomeCondition(condition.of.map((one) => compileCondition(one, sources)));
    case 'not':
      return new NotCondition(compileCondition(condition.of, sources));
  }
}

class ValueCondition implements CompiledCondition {
  readonly #source: ValueSource;
  readonly #test: ValueTest;
  readonly #isNegated: boolean;

  constructor(source: ValueSource, test: ValueTest, isNegated: boolean) {
    this.#source = source;
    this.#test = test;
    this.#isNegated = isNegated;
  }

  holds(facts: RequestFacts): boolean {
    const source = this.#source;
    const count = source.read(facts);
    for (let at = 0; at < count; at++) {
      if (this.#test.takes(source.bytes[at]!, source.starts[at]!, source.ends[at]!)) {
        return !this.#isNegated;
      }
    }
    return this.#isNegated;
  }
}

/** Host, path and method inside `any`, `all` and `not`: the index of one route. */
class TargetCondition implements CompiledCondition {
  readonly #index: HostIndex;
  readonly #query: PathQuery = pathQuery();

  constructor(hosts: readonly string[], paths: readonly string[], methods: readonly string[]) {
    const builder = new HostIndexBuilder();
    builder.add(hosts, paths, {
      order: 0,
      methods: new MethodFilter(methods),
      condition: null,
      keys: [],
    });
    this.#index = builder.build();
  }

  holds({ head }: RequestFacts): boolean {
    const query = this.#query;
    query.pathBytes = head.pathBytes;
    query.pathStart = head.pathStart;
    query.pathEnd = head.pathEnd;
    query.method = head.method;
    query.methodBytes = head.bytes;
    query.methodStart = head.methodStart;
    query.methodEnd = head.methodEnd;
    return this.#index.match(head.hostBytes, head.hostStart, head.hostEnd, query, NO_ORDER) === 0;
  }
}

class PathCondition implements CompiledCondition {
  readonly #patterns: readonly LinearPattern[];

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => new LinearPattern(pattern));
  }

  holds(facts: RequestFacts): boolean {
    const { pathBytes, pathStart, pathEnd } = facts.head;
    for (let at = 0; at < this.#patterns.length; at++) {
      if (this.#patterns[at]!.isIn(pathBytes, pathStart, pathEnd)) return true;
    }
    return false;
  }
}

class SizeCondition implements CompiledCondition {
  readonly #minBytes: number;
  readonly #maxBytes: number;

  constructor(minBytes: number, maxBytes: number | null) {
    this.#minBytes = minBytes;
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY;
  }

  holds({ head }: RequestFacts): boolean {
    const bytes = declaredBytes(head);
    return bytes >= this.#minBytes && bytes <= this.#maxBytes;
  }
}

/** Body bytes that a request declares: 0 without a body, -1 where it declares none (chunked). */
export function declaredBytes(head: RequestFacts['head']): number {
  if (head.declaredLength >= 0) return head.declaredLength;
  return head.framing === Framing.NONE ? 0 : -1;
}

class ClientCondition implements CompiledCondition {
  readonly #ranges: AddressRanges;

  constructor(ranges: readonly string[]) {
    this.#ranges = new AddressRanges(ranges);
  }

  holds(facts: RequestFacts): boolean {
    return this.#ranges.has(facts.client.key);
  }
}

class TimeCondition implements CompiledCondition {
  readonly #window: LocalWindow;

  constructor(window: LocalWindow) {
    this.#window = window;
  }

  holds(facts: RequestFacts): boolean {
    return this.#window.has(facts.wallClock());
  }
}

/** One draw per request, however often a route is looked at for it. */
class ShareCondition implements CompiledCondition {
  readonly #ratio: number;
  #generation = -1;
  #isDrawn = false;

  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  holds(facts: RequestFacts): boolean {
    if (this.#generation !== facts.generation) {
      this.#generation = facts.generation;
      this.#isDrawn = facts.random() < this.#ratio;
    }
    return this.#isDrawn;
  }
}

class EveryCondition implements CompiledCondition {
  readonly #conditions: readonly CompiledCondition[];

  constructor(conditions: readonly CompiledCondition[]) {
    this.#conditions = conditions;
  }

  holds(facts: RequestFacts): boolean {
    for (let at = 0; at < this.#conditions.length; at++) {
      if (!this.#conditions[at]!.holds(facts)) return false;
    }
    return true;
  }
}

class SomeCondition implements CompiledCondition {
  readonly #conditions: readonly CompiledCondition[];

  constructor(conditions: readonly CompiledCondition[]) {
    this.#conditions = conditions;
  }

  holds(facts: RequestFacts): boolean {
    for (let at = 0; at < this.#conditions.length; at++) {
      if (this.#conditions[at]!.holds(facts)) return true;
    }
    return false;
  }
}

class NotCondition implements CompiledCondition {
  readonly #condition: CompiledCondition;

  constructor(condition: CompiledCondition) {
    this.#condition = condition;
  }

  holds(facts: RequestFacts): boolean {
    return !this.#condition.holds(facts);
  }
}
