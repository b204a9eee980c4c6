import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fnv1a32 } from '../base/hash.ts';
import { createRandom } from '../base/prng.ts';
import { MaglevBuild, type MaglevMember, maglevLength } from './maglev.ts';
import { MaglevShelf } from './maglev-shelf.ts';

const members = (count: number, weight = (_at: number) => 1): MaglevMember[] =>
  Array.from({ length: count }, (_, at) => ({
    key: `10.0.${at >> 8}.${at & 255}:80`,
    weight: weight(at),
  }));

const named = (count: number) =>
  members(count).map(({ key, weight }) => ({ key, nominalWeight: weight }));

function built(some: readonly MaglevMember[]): MaglevBuild {
  const build = new MaglevBuild(some);
  build.advance(Number.POSITIVE_INFINITY);
  return build;
}

/** Names of the members that the entries lead to. */
const keysOf = (build: MaglevBuild) => [...build.entries].map((at) => build.members[at]!.key);

function countsOf(build: MaglevBuild): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keysOf(build)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

const digestOf = (build: MaglevBuild): number =>
  fnv1a32(new Uint8Array(build.entries.buffer), 0, build.entries.byteLength) >>> 0;

test('MaglevBuild gives 100 servers shares within 1 % of each other at 65,537 entries', () => {
  const build = built(members(100));
  assert.equal(build.entries.length, 65_537);
  for (const count of countsOf(build).values()) {
    assert.ok(Math.abs(count / 655.37 - 1) < 0.01, `${count}`);
  }
});

test('MaglevBuild moves at most 2 % more than a server’s own entries when that server leaves', () => {
  const all = members(100);
  const before = keysOf(built(all));
  for (const gone of [0, 37, 99]) {
    const after = keysOf(built(all.filter((_, at) => at !== gone)));
    const extra = before.filter((key, at) => key !== all[gone]!.key && key !== after[at]).length;
    assert.ok(extra / before.length <= 0.02, `${extra}`);
  }
});

test('MaglevBuild does not look at the order of the members', () => {
  const some = members(50, (at) => 1 + (at % 4));
  const random = createRandom(3);
  const shuffled = some
    .map((member) => ({ member, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ member }) => member);
  assert.deepEqual(keysOf(built(shuffled)), keysOf(built(some)));
});

test('MaglevBuild follows the weights', () => {
  const build = built(members(20, (at) => 1 + (at % 5)));
  const counts = countsOf(build);
  for (const { key, weight } of build.members) {
    assert.ok(Math.abs(counts.get(key)! / ((65_537 * weight) / 60) - 1) < 0.01, key);
  }
});

test('maglevLength() gives primes, with 100 entries per server up to the longest', () => {
  const isPrime = (number: number) => {
    for (let by = 2; by * by <= number; by++) if (number % by === 0) return false;
    return true;
  };
  for (const count of [1, 655, 656, 2_000, 5_000, 10_000, 60_000]) {
    const length = maglevLength(count);
    assert.ok(isPrime(length), `${length}`);
    assert.ok(length >= Math.min(count * 100, 1_048_583), `${length}`);
  }
});

/*
 * Vectors: FNV-1a 32 of the table's bytes (member numbers as little-endian 16 bits). To make them
 * anew is to move every client of every pool: never without a decision.
 */
const vectors: readonly (readonly [count: number, digest: number])[] = [
  [3, 273159055],
  [100, 2068246233],
  [700, 1197332129],
];

test('MaglevBuild gives the tables of the vectors', () => {
  for (const [count, digest] of vectors) assert.equal(digestOf(built(members(count))), digest);
});

test('MaglevBuild gives the same table in another process', () => {
  const module = new URL('./maglev.ts', import.meta.url).href;
  const script = `
    const { MaglevBuild } = await import(${JSON.stringify(module)});
    const members = ${JSON.stringify(members(100).reverse())};
    const build = new MaglevBuild(members);
    build.advance(Infinity);
    console.log(build.entries.join());`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script]);
  assert.equal(printed.toString().trim(), built(members(100)).entries.join());
});

test('MaglevShelf keeps its table while the next one is built in small steps', () => {
  const shelf = new MaglevShelf();
  const first = shelf.tableFor(named(10));
  assert.equal(first.isComplete, true);
  assert.equal(shelf.tableFor(named(10).reverse()), first);
  assert.equal(shelf.isBuilding, false);
  assert.equal(shelf.tableFor(named(11)), first);
  let steps = 0;
  let next: MaglevBuild | null = null;
  while (next === null) {
    next = shelf.advance();
    steps++;
  }
  assert.ok(steps > 50, `${steps}`);
  assert.equal(shelf.isBuilding, false);
  assert.deepEqual(keysOf(next), keysOf(built(members(11))));
  assert.equal(shelf.tableFor(named(11)), next);
  // Asked for the old ones again before the next table is ready: nothing is built.
  shelf.tableFor(named(12));
  shelf.tableFor(named(11));
  assert.equal(shelf.isBuilding, false);
});

test('prepare() makes a first table ready in steps, and another one only for mostly other members', () => {
  const named = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({ key: `s${from + at}:80`, nominalWeight: 1 }));
  const stepsOf = (shelf: MaglevShelf, servers: ReturnType<typeof named>): number =>
    [...shelf.prepare(servers)].length;
  const shelf = new MaglevShelf();
  // 65,537 entries filled at 10,000 looks a step, each of which takes an entry at most.
  assert.ok(stepsOf(shelf, named(0, 100)) >= 6);
  const table = shelf.tableFor(named(0, 100));
  assert.ok(table.isComplete && !shelf.isBuilding);
  const plain = new MaglevShelf().tableFor(named(0, 100));
  assert.deepEqual(table.entries, plain.entries);

  // Half of them stay: picks build the next table beside the present one.
  assert.equal(stepsOf(shelf, named(50, 100)), 0);
  assert.equal(shelf.tableFor(named(50, 100)), table);
  assert.ok(shelf.isBuilding);

  // None stays: made ready, and the present one serves whoever has not changed yet.
  assert.ok(stepsOf(shelf, named(1_000, 100)) >= 6);
  assert.equal(shelf.tableFor(named(0, 100)), table);
  const other = shelf.tableFor(named(1_000, 100));
  assert.ok(other.isComplete && other !== table && !shelf.isBuilding);
});
