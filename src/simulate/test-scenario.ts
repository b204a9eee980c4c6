import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { readScenario } from './read-scenario.ts';
import type { Scenario } from './scenario.ts';

const folder = new URL('../../examples/scenarios/', import.meta.url);

/** Names of the scenarios that are shipped. */
export const shippedScenarios: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -5));

/** A scenario that is shipped. */
export function shippedScenario(name: string): Scenario {
  return scenarioOf(readFileSync(new URL(`${name}.yaml`, folder), 'utf8'), name);
}

/** A scenario from its text, which must be good. */
export function scenarioOf(text: string, name = 'test'): Scenario {
  const read = readScenario(`${name}.yaml`, text, null);
  assert.ok(read.ok, JSON.stringify(read));
  return read.scenario;
}
