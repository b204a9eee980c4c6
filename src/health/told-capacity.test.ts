import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ToldCapacities } from './told-capacity.ts';

function factorsOf(capacities: ToldCapacities, slots: readonly number[]): Map<number, number> {
  const factors = new Map<number, number>();
  capacities.each(slots, (slot, factor) => factors.set(slot, factor));
  return factors;
}

test('ToldCapacities: traffic by told load comes to rest where all servers are loaded alike', () => {
  // Slot 2 can take half of what the others can.
  const capacity = new Map([
    [1, 1000],
    [2, 500],
    [3, 1000],
  ]);
  const capacities = new ToldCapacities();
  const factors = new Map([...capacity.keys()].map((slot) => [slot, 1]));
  const loads = new Map<number, number>();
  for (let second = 0; second < 60; second++) {
    const sum = [...factors.values()].reduce((total, factor) => total + factor, 0);
    for (const [slot, most] of capacity) {
      const rate = (900 * factors.get(slot)!) / sum;
      loads.set(slot, rate / most);
      const told = { reports: Math.round(rate), load: rate / most };
      capacities.tell(slot, 1, told, 1000, second * 1000);
    }
    for (const [slot, factor] of factorsOf(capacities, [1, 2, 3])) factors.set(slot, factor);
  }
  // 900 of 2,500 per second: each at 0.36, slot 2 with half the weight.
  for (const load of loads.values()) assert.ok(Math.abs(load - 0.36) < 0.03, `${load}`);
  assert.ok(Math.abs(factors.get(2)! - 0.5) < 0.03);
});

test('ToldCapacities: nothing is changed in the first ten seconds, or for who tells nothing', () => {
  const capacities = new ToldCapacities();
  capacities.tell(1, 1, { reports: 100, load: 0.9 }, 1000, 0);
  capacities.tell(2, 1, { reports: 100, load: 0.1 }, 1000, 9_999);
  assert.equal(factorsOf(capacities, [1, 2]).size, 2);
  assert.deepEqual([...factorsOf(capacities, [1, 2]).values()], [1, 1]);
  capacities.tell(1, 1, { reports: 100, load: 0.5 }, 1000, 11_000);
  capacities.tell(2, 1, { reports: 100, load: 0.25 }, 1000, 21_000);
  // 200 and 400 per second; slot 3 counts as 300.
  const factors = factorsOf(capacities, [1, 2, 3]);
  assert.deepEqual([factors.get(1), factors.get(2), factors.get(3)], [0.5, 1, 0.75]);
});

test('ToldCapacities: who has told nothing for three minutes counts like the mean', () => {
  const capacities = new ToldCapacities();
  for (const nowMs of [0, 10_000]) {
    capacities.tell(1, 1, { reports: 100, load: 0.5 }, 1000, nowMs);
    capacities.tell(2, 1, { reports: 100, load: 0.25 }, 1000, nowMs);
  }
  assert.equal(factorsOf(capacities, [1, 2]).get(1), 0.5);
  capacities.tell(1, 1, { reports: 0, load: 0 }, 1000, 191_000);
  assert.equal(factorsOf(capacities, [1, 2]).get(1), 1);
});

test('ToldCapacities: a configured weight is not counted twice', () => {
  const capacities = new ToldCapacities();
  for (const nowMs of [0, 10_000]) {
    capacities.tell(1, 3, { reports: 300, load: 0.5 }, 1000, nowMs);
    capacities.tell(2, 1, { reports: 100, load: 0.5 }, 1000, nowMs);
  }
  assert.deepEqual([...factorsOf(capacities, [1, 2]).values()], [1, 1]);
});
