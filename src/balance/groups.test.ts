import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../base/prng.ts';
import { plainBalancing } from '../model/balancing.ts';
import { allocateShared, attachWords, type SharedWords, Verdict } from '../model/shared-memory.ts';
import type { PolicyName, Server } from '../model/snapshot.ts';
import { EligibleSet } from './eligible.ts';
import { eligibleGroups } from './groups.ts';
import { LatencyBook } from './latency-book.ts';
import { requestOf } from './policy.conformance.ts';
import { ALL_BUSY, NONE } from './policy.ts';

const serverOf = (slot: number, changes: Partial<Server> = {}): Server => ({
  slot,
  address: `10.0.0.${slot}:80`,
  target: { kind: 'ip', host: `10.0.0.${slot}`, port: 80 },
  weight: 1,
  isBackup: false,
  tier: 0,
  connectionsMax: 0,
  labels: {},
  ...changes,
});

/** Slots 0-9 in tier 0, 10-19 in tier 1, 20-29 in tier 2. */
const tiered = Array.from({ length: 30 }, (_, slot) =>
  serverOf(slot, { tier: Math.floor(slot / 10) }),
);
const plain = { overprovision: 1.4, preferredZone: null };

/** Shares by tier, rounded, when the first so many servers of each tier are down. */
function sharesWith(down: readonly number[]): number[] {
  const { groups } = eligibleGroups(
    tiered,
    (slot) => (slot % 10 < (down[Math.floor(slot / 10)] ?? 0) ? Verdict.PROBE_DOWN : 0),
    plain,
  );
  return [0, 1, 2].map((tier) => {
    const group = groups.find(({ name }) => name === String(tier));
    return Math.round((group?.share ?? 0) * 1000) / 1000;
  });
}

test('eligibleGroups() spills to the next tier below 1/1.4 of the servers', () => {
  assert.deepEqual(sharesWith([0]), [1, 0, 0]);
  // 8 of 10 · 1.4 = 1.12; 7 of 10 · 1.4 = 0.98; 5 of 10 · 1.4 = 0.7.
  assert.deepEqual(sharesWith([2]), [1, 0, 0]);
  assert.deepEqual(sharesWith([3]), [0.98, 0.02, 0]);
  assert.deepEqual(sharesWith([5]), [0.7, 0.3, 0]);
  assert.deepEqual(sharesWith([10]), [0, 1, 0]);
  // 0.28 + 0.28, the rest to the last tier.
  assert.deepEqual(sharesWith([8, 8]), [0.28, 0.28, 0.44]);
});

test('eligibleGroups(): when all tiers together are short, shares follow what they can take', () => {
  // 0.14, 0.28 and 0.28 of 0.7.
  assert.deepEqual(sharesWith([9, 8, 8]), [0.2, 0.4, 0.4]);
});

test('eligibleGroups(): softly ejected servers come back only when all tiers are short', () => {
  const verdictOf = (slot: number) => (slot % 10 < 8 ? Verdict.EJECTED : 0);
  const two = tiered.filter(({ tier }) => tier < 2);
  const short = eligibleGroups(two, verdictOf, plain);
  assert.equal(short.isPanic, true);
  assert.equal(short.groups[0]!.servers.length, 10);
  const spilling = eligibleGroups(two, (slot) => (slot < 10 ? verdictOf(slot) : 0), plain);
  assert.equal(spilling.isPanic, false);
  assert.equal(spilling.groups[0]!.servers.length, 2);
});

test('eligibleGroups(): backups stand in when no tier has a fit server', () => {
  const servers = [serverOf(1), serverOf(2, { tier: 1 }), serverOf(3, { isBackup: true })];
  const found = eligibleGroups(servers, (slot) => (slot < 3 ? Verdict.PROBE_DOWN : 0), plain);
  assert.equal(found.isBackup, true);
  assert.deepEqual(
    found.groups.map((group) => group.servers.map(({ slot }) => slot)),
    [[3]],
  );
});

test('eligibleGroups() gives the own zone all it can take, the rest to the others', () => {
  const servers = Array.from({ length: 20 }, (_, slot) =>
    serverOf(slot, { labels: { zone: slot < 10 ? 'a' : 'b' } }),
  );
  const zoned = { overprovision: 1.4, preferredZone: 'a' };
  const sharesOf = (down: number) => {
    const verdictOf = (slot: number) => (slot < down ? Verdict.PROBE_DOWN : 0);
    return eligibleGroups(servers, verdictOf, zoned).groups.map(
      ({ name, share }) => `${name} ${share.toFixed(2)}`,
    );
  };
  assert.deepEqual(sharesOf(0), ['0-near 1.00', '0-far 0.00']);
  assert.deepEqual(sharesOf(5), ['0-near 0.70', '0-far 0.30']);
  assert.deepEqual(sharesOf(10), ['0-far 1.00']);
  // Nobody else is left: the own zone takes all, sick or not.
  const alone = eligibleGroups(
    servers,
    (slot) => (slot < 5 || slot >= 10 ? Verdict.PROBE_DOWN : 0),
    zoned,
  );
  assert.deepEqual(
    alone.groups.map(({ name, share }) => [name, share]),
    [['0-near', 1]],
  );
});

function setOf(
  servers: readonly Server[],
  policy: PolicyName,
  preferredZone: string | null = null,
): { set: EligibleSet; words: SharedWords } {
  const words = attachWords(allocateShared(1, { counterCount: 1, histogramWords: 1 }));
  const pool = {
    slot: 3,
    name: 'web',
    policy,
    balancing: { ...plainBalancing, preferredZone },
    servers,
  } as const;
  const by = {
    worker: 0,
    random: createRandom(2),
    latency: new LatencyBook(words, () => 0),
    shelves: new Map(),
  };
  return { set: new EligibleSet(pool as never, words, by), words };
}

for (const policy of ['p2c', 'round-robin', 'least-connections', 'hash', 'ip-hash'] as const) {
  test(`EligibleSet: ${policy} follows the shares of tiers`, () => {
    const { set, words } = setOf(tiered, policy);
    for (let slot = 0; slot < 5; slot++) Atomics.store(words.verdict, slot, Verdict.PROBE_DOWN);
    Atomics.add(words.epoch, 0, 1);
    let first = 0;
    for (let client = 0; client < 5000; client++) {
      if (set.picker().pick(requestOf(client)) < 10) first++;
    }
    assert.ok(Math.abs(first / 5000 - 0.7) < 0.03, `${first}`);
  });
}

test('EligibleSet: a tier that is tried or full hands on to the next one', () => {
  const servers = [serverOf(1), serverOf(2, { tier: 1, connectionsMax: 1 })];
  const { set, words } = setOf(servers, 'p2c');
  assert.equal(set.picker().pick(requestOf(0)), 1);
  assert.equal(set.picker().pick(requestOf(0, [1])), 2);
  words.inFlight[2] = 1;
  assert.equal(set.picker().pick(requestOf(0, [1])), ALL_BUSY);
  assert.equal(set.picker().pick(requestOf(0, [1, 2])), NONE);
});

test('EligibleSet: hash keeps a client in its group while the shares stay', () => {
  const servers = Array.from({ length: 8 }, (_, slot) =>
    serverOf(slot, { labels: { zone: slot < 4 ? 'a' : 'b' } }),
  );
  const { set, words } = setOf(servers, 'hash', 'a');
  Atomics.store(words.verdict, 0, Verdict.PROBE_DOWN);
  Atomics.store(words.verdict, 1, Verdict.PROBE_DOWN);
  Atomics.add(words.epoch, 0, 1);
  for (let client = 0; client < 200; client++) {
    const slot = set.picker().pick(requestOf(client));
    assert.equal(set.picker().pick(requestOf(client)), slot);
  }
});
