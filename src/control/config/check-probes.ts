import type { CheckedPool, CheckedProbe } from './checked.ts';
import { statusRange } from './forms.ts';
import { shown } from './problem.ts';
import type { Refuse } from './refuse.ts';

/** What each type of probe uses besides what all of them do. */
const keysOf = {
  http: ['port', 'method', 'path', 'host', 'headers', 'expect', 'body', 'bodyJson'],
  tcp: ['port', 'send', 'expect'],
  exec: ['command', 'args', 'weightByExit'],
  agent: ['port', 'send'],
} as const;

/** What an agent says counts at once; what it does not say changes nothing. */
const notForAgents = ['rise', 'fall', 'startState'] as const;

const particular = [...new Set(Object.values(keysOf).flat())];

/** Checks the probes of a pool: keys that their type does not use, keys that it needs, values that clash. */
export function checkProbes(pool: CheckedPool, path: string, refuse: Refuse): void {
  const { probe, probes } = pool;
  if (probe !== undefined && probes !== undefined) {
    refuse(`${path}.probe`, 'must be left out where probes is given', 'found both', 'probes');
  }
  if (pool.probeRule === 'any' && probes === undefined && !refuse.isFaulty(`${path}.probes`)) {
    refuse(`${path}.probeRule`, 'must be left out without probes', 'found any');
  }
  const isUnix = pool.servers?.some(({ address }) => address?.startsWith('unix:')) ?? false;
  if (probe !== undefined) checkProbe(probe, `${path}.probe`, isUnix, refuse);
  for (const [index, one] of (probes ?? []).entries()) {
    checkProbe(one, `${path}.probes[${index}]`, isUnix, refuse);
  }
}

function checkProbe(probe: CheckedProbe, path: string, isUnix: boolean, refuse: Refuse): void {
  const type = probe.type ?? 'http';
  if (refuse.isFaulty(`${path}.type`)) return;
  const used: readonly string[] = keysOf[type];
  for (const key of particular) {
    if (probe[key] === undefined || used.includes(key)) continue;
    const types = (['http', 'tcp', 'exec', 'agent'] as const).filter((other) =>
      (keysOf[other] as readonly string[]).includes(key),
    );
    const requirement = `must be left out for ${type === 'tcp' || type === 'http' ? 'a' : 'an'} ${type} probe`;
    refuse(`${path}.${key}`, requirement, 'found a value', `type: ${types[0]}`);
  }
  if (type === 'agent') {
    for (const key of notForAgents) {
      if (probe[key] === undefined) continue;
      refuse(
        `${path}.${key}`,
        'must be left out for an agent, whose word counts at once',
        'found a value',
      );
    }
  }
  checkNeeds(probe, type, path, refuse);
  if (probe.port !== undefined && isUnix) {
    refuse(
      `${path}.port`,
      'must be left out where a server is a Unix socket',
      `found ${probe.port}`,
    );
  }
  checkExpectations(probe, type, path, refuse);
}

function checkNeeds(
  { command, port, bodyJson, body, method }: CheckedProbe,
  type: keyof typeof keysOf,
  path: string,
  refuse: Refuse,
): void {
  if (refuse.isFaulty(path)) return;
  if (type === 'exec' && command === undefined) {
    refuse(`${path}.command`, 'must be given for an exec probe', 'found nothing');
  }
  if (type === 'agent' && port === undefined) {
    refuse(
      `${path}.port`,
      'must be given for an agent, which listens at a port of its own',
      'found nothing',
    );
  }
  if (method === 'HEAD' && (bodyJson !== undefined || body !== undefined)) {
    refuse(
      `${path}.method`,
      'must be another one where the body is looked at',
      "found 'HEAD'",
      'GET',
    );
  }
}

function checkExpectations(
  { expect }: CheckedProbe,
  type: keyof typeof keysOf,
  path: string,
  refuse: Refuse,
): void {
  if (type === 'tcp' && expect !== undefined && expect.length > 1) {
    refuse(`${path}.expect`, 'must be one text for a tcp probe', `found ${expect.length}`);
  }
  if (type !== 'http') return;
  for (const [index, written] of (expect ?? []).entries()) {
    const read = statusRange.read(written);
    if ('value' in read) continue;
    const requirement = `must be ${statusRange.says}`;
    refuse(`${path}.expect[${index}]`, requirement, `found ${shown(written)}`, read.suggestion);
  }
}
