import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WantedServers } from './wanted.ts';

test('outlook() wants servers for the highest minute of the last quarter of an hour, and one more', () => {
  const wanted = new WantedServers();
  wanted.take(0, 100);
  assert.equal(wanted.outlook('web', 3), null);
  wanted.usableRate = 50;
  // 100/s at 50/s each: two carry it. Three can be given 150/s, of which a third is free.
  const first = wanted.outlook('web', 3);
  assert.equal(first?.serversWanted, 3);
  assert.ok(Math.abs((first?.headroomRatio ?? 0) - 1 / 3) < 1e-9);
  wanted.take(60_000, 210);
  assert.equal(wanted.outlook('web', 3)?.serversWanted, 6);
  assert.ok((wanted.outlook('web', 3)?.headroomRatio ?? 0) < 0);
  // The load falls: fewer are wanted only when the high minute is a quarter of an hour old.
  for (let atMs = 120_000; atMs < 960_000; atMs += 10_000) wanted.take(atMs, 40);
  assert.equal(wanted.outlook('web', 3)?.serversWanted, 6);
  wanted.take(960_000, 40);
  assert.equal(wanted.outlook('web', 3)?.serversWanted, 2);
  // Without a server in traffic nothing is free.
  assert.equal(wanted.outlook('web', 0)?.headroomRatio, -1);
});
