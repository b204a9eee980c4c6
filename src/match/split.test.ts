import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipKey } from '../base/address.ts';
import { hashText } from '../base/hash.ts';
import { createRandom } from '../base/prng.ts';
import { SplitTable } from './split.ts';

const users = 20_000;
const canary = (weight: number): SplitTable =>
  new SplitTable([
    { pool: 'web', weight: 100 - weight },
    { pool: 'canary', weight },
  ]);

/** Share of the second pool among keys. */
function shareOf(table: SplitTable, keyOf: (user: number) => number): number {
  let count = 0;
  for (let user = 0; user < users; user++) count += table.of(keyOf(user));
  return count / users;
}

const address = (user: number): number =>
  ipKey(`10.${user >> 16}.${(user >> 8) & 255}.${user & 255}`);
const session = (user: number): number => hashText(`session-${user}`);

for (const [name, keyOf] of [
  ['addresses in a row', address],
  ['session names in a row', session],
] as const) {
  test(`SplitTable.of() gives each share its weight ±1 % over 20,000 ${name}`, () => {
    for (const weight of [1, 10, 50]) {
      // standard deviation at 50 %: 0.35 %
      const share = shareOf(canary(weight), keyOf);
      assert.ok(Math.abs(share - weight / 100) < 0.01, `${weight}: ${share}`);
    }
  });
}

test('SplitTable.of() moves users only into a share that grows', () => {
  const small = canary(10);
  const large = canary(30);
  let moved = 0;
  for (let user = 0; user < users; user++) {
    const before = small.of(session(user));
    const after = large.of(session(user));
    if (before === 1) assert.equal(after, 1, `user ${user} left the canary`);
    moved += Number(before !== after);
  }
  // 20 % of the users, and no more
  assert.ok(Math.abs(moved / users - 0.2) < 0.01, `${moved}`);
});

test('SplitTable.of() of three: nobody leaves the one that grows, whatever the order', () => {
  const shares = [70, 20, 10].map((weight, index) => ({ pool: `p${index}`, weight }));
  const before = new SplitTable(shares);
  const grown = [...shares.slice(0, 2), { pool: 'p2', weight: 40 }].reverse();
  const after = new SplitTable(grown);
  for (let user = 0; user < users; user++) {
    const was = shares[before.of(session(user))]!.pool;
    const is = grown[after.of(session(user))]!.pool;
    assert.ok(was === is || is === 'p2', `user ${user}: ${was} to ${is}`);
  }
});

test('SplitTable: a share of 0 gets nothing', () => {
  const none = canary(0);
  assert.equal(shareOf(none, session), 0);
  assert.equal(none.draw(0.999_999_999), 0);
});

test('SplitTable.draw() gives each share its weight', () => {
  const random = createRandom(7);
  const table = canary(10);
  let count = 0;
  for (let i = 0; i < users; i++) count += table.draw(random());
  assert.ok(Math.abs(count / users - 0.1) < 0.01, `${count}`);
});
