import type { Condition, TextTest, TimeWindow } from '../model/conditions.ts';
import { declaredBytes } from './conditions.ts';
import type { RequestFacts } from './facts.ts';
import { LocalWindow } from './local-time.ts';
import type { ValueSource, ValueSources } from './value-source.ts';
import { textOf } from './value-text.ts';

/** A condition in words, with what a request has in its place. */
export interface ToldCondition {
  /** `header x-tenant`. */
  readonly what: string;
  readonly required: string;
  readonly found: string;
}

/** Texts longer than this are cut for people. */
const TEXT_MAX = 120;
const SHOWN_MAX = 10;

/** Tells a condition and what the present request has of it. Cost: strings; for people. */
export function tellCondition(
  condition: Condition,
  facts: RequestFacts,
  sources: ValueSources,
): ToldCondition {
  switch (condition.kind) {
    case 'header':
    case 'query':
    case 'cookie': {
      const { kind, name, test } = condition;
      const found = valuesOf(sources[kind](name), facts, 'none');
      return { what: `${kind} ${name}`, required: testText(test), found };
    }
    case 'protocol':
    case 'country':
    case 'continent':
    case 'asn': {
      const what = condition.kind === 'asn' ? 'AS number' : condition.kind;
      const found = valuesOf(sources[condition.kind], facts, `unknown for ${told(facts)}`);
      return { what, required: listText(condition.texts), found };
    }
    default:
      return tellOther(condition, facts, sources);
  }
}

function told({ client }: RequestFacts): string {
  return client.address === '' ? 'a Unix socket' : client.address;
}

function tellOther(
  condition: Exclude<Condition, { test: TextTest } | { texts: readonly string[] }>,
  facts: RequestFacts,
  sources: ValueSources,
): ToldCondition {
  switch (condition.kind) {
    case 'target': {
      const { head } = facts;
      const host = textOf(head.hostBytes, head.hostStart, head.hostEnd);
      const method = textOf(head.bytes, head.methodStart, head.methodEnd);
      const required = [condition.methods, condition.hosts, condition.paths]
        .flatMap((texts) => (texts.length === 0 ? [] : [listText(texts)]))
        .join(' and ');
      return { what: 'request', required, found: `${method} ${host}${facts.path}` };
    }
    case 'path-pattern':
      return {
        what: 'path',
        required: condition.patterns.map((pattern) => `a match of ${pattern}`).join(' or '),
        found: shown(facts.path),
      };
    case 'content-type': {
      const found = valuesOf(sources.mediaType, facts, 'no usable one');
      return { what: 'content type', required: listText(condition.types), found };
    }
    case 'size': {
      const bytes = declaredBytes(facts.head);
      const required = `${condition.minBytes} to ${condition.maxBytes ?? 'any number of'} bytes`;
      return { what: 'size', required, found: bytes < 0 ? 'none declared' : `${bytes} bytes` };
    }
    case 'client':
      return { what: 'client', required: listText(condition.ranges), found: told(facts) };
    case 'time': {
      const found = new LocalWindow(condition.window).told(facts.wallClock());
      return { what: 'time', required: windowText(condition.window), found };
    }
    case 'share': {
      const required = `drawn at random for ${shareText(condition.ratio)} of requests`;
      return { what: 'share', required, found: 'drawn anew for each request' };
    }
    case 'all':
    case 'any': {
      const inner = condition.of.map((one) => tellCondition(one, facts, sources));
      const word = condition.kind === 'all' ? 'and' : 'or';
      return {
        what: condition.kind === 'all' ? 'all of' : 'one of',
        required: inner.map(({ what, required }) => `(${what}: ${required})`).join(` ${word} `),
        found: inner.map(({ what, found }) => `${what}: ${found}`).join('; '),
      };
    }
    case 'not': {
      const { what, required, found } = tellCondition(condition.of, facts, sources);
      return { what, required: `not (${required})`, found };
    }
  }
}

/** `10%`. */
export function shareText(ratio: number): string {
  return `${Math.round(ratio * 100_000) / 1_000}%`;
}

function testText(test: TextTest): string {
  switch (test.kind) {
    case 'any-of':
      return listText(test.texts.map(shown));
    case 'present':
      return test.isPresent ? 'a value' : 'no value';
    case 'prefix':
      return `a text that begins with ${shown(test.text)}`;
    case 'pattern':
      return `a match of ${test.pattern}`;
    case 'not':
      return `not (${testText(test.of)})`;
  }
}

/** `a`, `a or b`, `a, b, … or one of 90 more`. */
export function listText(texts: readonly string[]): string {
  if (texts.length <= SHOWN_MAX) return texts.join(' or ');
  return `${texts.slice(0, SHOWN_MAX).join(' or ')} or one of ${texts.length - SHOWN_MAX} more`;
}

function windowText({ days, fromMinute, toMinute, zone }: TimeWindow): string {
  const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  const when = days.length === 0 ? 'every day' : days.map((day) => names[day]).join(', ');
  return `${when} from ${clockText(fromMinute)} to ${clockText(toMinute)} in ${zone}`;
}

function clockText(minute: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

function valuesOf(source: ValueSource, facts: RequestFacts, none: string): string {
  const count = source.read(facts);
  const values = Array.from({ length: Math.min(count, SHOWN_MAX) }, (_, at) =>
    shown(textOf(source.bytes[at]!, source.starts[at]!, source.ends[at]!)),
  );
  return values.length === 0 ? none : values.join(', ');
}

/** Quoted, cut, without what a terminal would obey. */
function shown(text: string): string {
  const cut = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text;
  return `'${cut.replace(/\p{Cc}/gu, '?')}'`;
}
