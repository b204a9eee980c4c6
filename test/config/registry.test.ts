import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { configFromPlain } from '../../src/control/config/load.ts';
import { docs } from '../../src/control/config/reference.ts';
import { configuration } from '../../src/control/config/registry.ts';
import { configSchema } from '../../src/control/config/schema.ts';
import type { RecordShape, Shape } from '../../src/control/config/shape.ts';
import { satisfies } from './schema-validator.ts';

const folder = new URL('./', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, folder), 'utf8');
const files = readdirSync(folder).filter((name) => /\.(yaml|json)$/.test(name));

/** Files whose syntax, not whose data, is at fault; and faults that patterns do not tell. */
const unparsable = /tab|bracket|two-documents|duplicate-keys|circle|laughs|comment\.json|comma|cut/;

for (const name of files.filter((one) => !unparsable.test(one))) {
  const isAccepted = !name.startsWith('refused-');
  test(`configSchema() ${isAccepted ? 'accepts' : 'refuses'} ${name}`, () => {
    assert.equal(satisfies(configSchema(), parse(read(name))), isAccepted);
  });
}

test('configSchema() refuses each single fault that the checker refuses by form', () => {
  const good = { listeners: [':80'], pools: { a: ['10.0.0.1:80'] } };
  const faults: Record<string, unknown>[] = [
    { workers: 0 },
    { worker: 1 },
    { pools: { a: { servers: [{ address: '10.0.0.1:80', weight: 257 }] } } },
    { pools: { a: { servers: [], policy: 'maglev' } } },
    { pools: { a: { servers: [], policy: 'hash', key: 'user' } } },
    { pools: { a: { servers: [], probe: { interval: '5 s' } } } },
    { pools: { 'A b': [] } },
    { pools: { a: ['10.0.0.1'] } },
    { trustedPeers: ['everyone'] },
    { limits: { headerBytes: '32KB' } },
    { listeners: [] },
  ];
  assert.ok(satisfies(configSchema(), good));
  for (const fault of faults) {
    const plain = { ...good, ...fault };
    assert.equal(satisfies(configSchema(), plain), false, JSON.stringify(fault));
    assert.equal(configFromPlain('x', plain, () => ({ line: 1, column: 1 })).ok, false);
  }
});

test('docs() is what stands in docs/reference/configuration.md', () => {
  const file = new URL('../../docs/reference/configuration.md', folder);
  if (process.env['EVENKEEL_GOLDEN'] === 'write') writeFileSync(file, docs());
  assert.equal(readFileSync(file, 'utf8'), docs());
});

/** Every record of the registry, once. */
function recordsOf(shape: Shape, seen: Set<Shape> = new Set()): RecordShape[] {
  if (shape.kind === 'list' || shape.kind === 'map') return recordsOf(shape.of, seen);
  // A match may hold a match.
  if (shape.kind !== 'record' || seen.has(shape)) return [];
  seen.add(shape);
  return [shape, ...Object.values(shape.keys).flatMap((known) => recordsOf(known.shape, seen))];
}

test('checked.ts and define.ts have the keys of the registry, and no others', () => {
  const keys = new Set(recordsOf(configuration).flatMap((record) => Object.keys(record.keys)));
  for (const name of ['checked.ts', 'define.ts']) {
    // Where a match is defined stands in a file of its own.
    const more = name === 'define.ts' ? read('../../src/control/config/define-match.ts') : '';
    const source = read(`../../src/control/config/${name}`) + more;
    const fields = [...source.matchAll(/^ +(?:readonly )?(\w+)\??:/gm)].map((match) => match[1]);
    const inline = [...source.matchAll(/readonly (\w+)\?:/g)].map((match) => match[1]);
    assert.deepEqual([...new Set([...fields, ...inline])].sort(), [...keys].sort(), name);
  }
});

test('later keys and words are no known ones', () => {
  for (const { keys, later, name } of recordsOf(configuration)) {
    assert.deepEqual(later.filter((key) => Object.hasOwn(keys, key)), [], name);
  }
});

test('every default that the registry tells is the one that is filled in', () => {
  const listeners = [{ address: ':80' }];
  const withDefaults = (shape: RecordShape): Record<string, unknown> => {
    const entries = Object.entries(shape.keys).flatMap(([key, known]): [string, unknown][] => {
      if (known.shape.kind === 'record') {
        // Not there by default, and nothing without what it must have.
        if (Object.values(known.shape.keys).some(({ isRequired }) => isRequired)) return [];
        return [[key, withDefaults(known.shape)]];
      }
      const { default: standard } = known;
      if (standard === null || !/^[\w/.%-]+$/.test(standard)) return [];
      // Words that stand for something else than themselves.
      if (['any', 'none', 'empty', 'everything'].includes(standard)) return [];
      const isText = known.shape.kind !== 'count' && known.shape.kind !== 'flag';
      return [[key, isText ? standard : JSON.parse(standard)]];
    });
    return Object.fromEntries(entries);
  };
  const poolShape = recordsOf(configuration).find(({ name }) => name === 'pool');
  assert.ok(poolShape);
  const place = (): { line: number; column: number } => ({ line: 1, column: 1 });
  const retry = { hedge: {} };
  const pool = { servers: [], breaker: {}, probe: {}, retry, queue: { classes: { values: {} } } };
  const toldPool = withDefaults(poolShape) as { queue: { classes: object } };
  const { queue } = toldPool;
  const toldQueue = { ...queue, classes: { ...queue.classes, values: {} } };
  // Not there by default; somebody must be told.
  const scaling = { webhook: 'http://localhost/' };
  const plain = { listeners, pools: { a: pool }, alerts: {}, scaling };
  const short = configFromPlain('x', plain, place);
  const toldConfiguration = withDefaults(configuration) as { scaling: object };
  const told = configFromPlain(
    'x',
    {
      ...toldConfiguration,
      scaling: { ...toldConfiguration.scaling, ...scaling },
      listeners,
      pools: { a: { ...toldPool, queue: toldQueue, servers: [] } },
    },
    place,
  );
  assert.ok(short.ok);
  assert.deepEqual(told, short);
});
