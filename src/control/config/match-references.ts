import type { Checked, CheckedMatch, CheckedTest } from './checked.ts';
import { keyPath } from './source-tree.ts';

/** Reports what is wrong at a path. */
export type RefuseAt = (path: string, requirement: string, found: string) => void;

/**
 * Checks what the keys of a match mean together: tests say one thing, bounds are in order, nothing
 * is empty where that would mean never. `isFaulty`: something there was refused already.
 */
export function checkMatches(
  checked: Checked,
  refuse: RefuseAt,
  isFaulty: (path: string) => boolean,
): void {
  for (const [index, { match }] of (checked.routes ?? []).entries()) {
    const path = `routes[${index}].match`;
    if (match === undefined || isFaulty(path)) continue;
    checkMatch(match, path, checked, refuse);
  }
}

function checkMatch(match: CheckedMatch, path: string, checked: Checked, refuse: RefuseAt): void {
  for (const kind of ['header', 'query', 'cookie'] as const) {
    for (const [name, test] of match[kind] ?? []) {
      checkTest(test, keyPath(`${path}.${kind}`, name), refuse);
    }
  }
  const { size, time } = match;
  if (size !== undefined) {
    const { min, max } = size;
    if (min === undefined && max === undefined) {
      refuse(`${path}.size`, 'must have min, max or both', 'found neither');
    } else if (min !== undefined && max !== undefined && min > max) {
      refuse(`${path}.size.max`, `must be at least min (${min} bytes)`, `found ${max} bytes`);
    }
  }
  if (time !== undefined && (time.from ?? 0) === (time.to ?? 1_440)) {
    refuse(`${path}.time.to`, 'must be another time than from', 'found the same');
  }
  if (match.asn !== undefined && checked.geo?.asn === undefined) {
    refuse(`${path}.asn`, 'must stand with a database in geo.asn', 'found no geo.asn');
  }
  for (const key of ['all', 'any'] as const) {
    for (const [index, inner] of (match[key] ?? []).entries()) {
      checkInner(inner, `${path}.${key}[${index}]`, checked, refuse);
    }
  }
  if (match.not !== undefined) checkInner(match.not, `${path}.not`, checked, refuse);
}

/** An empty match takes everything: within others that is a slip. */
function checkInner(match: CheckedMatch, path: string, checked: Checked, refuse: RefuseAt): void {
  if (Object.keys(match).length === 0) {
    refuse(path, 'must have a key of a match', 'found an empty map');
  } else checkMatch(match, path, checked, refuse);
}

function checkTest(test: CheckedTest, path: string, refuse: RefuseAt): void {
  const keys = Object.keys(test);
  if (keys.length !== 1) {
    const requirement = 'must have one of is, present, prefix, pattern, not';
    refuse(path, requirement, keys.length === 0 ? 'found none' : `found ${keys.join(' and ')}`);
  } else if (test.not !== undefined) checkTest(test.not, `${path}.not`, refuse);
}
