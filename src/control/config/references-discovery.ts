import type { CheckedDiscovery } from './checked.ts';

/** Says what is wrong at a path. */
export type RefuseSource = (
  path: string,
  requirement: string,
  found: string,
  suggestion?: string | null,
) => void;

const kinds = ['dns', 'file', 'http', 'docker', 'kubernetes'] as const;
type Kind = (typeof kinds)[number];

/** Keys that only some kinds have. */
const keysOf: Readonly<Record<Kind, readonly (keyof CheckedDiscovery)[]>> = {
  dns: ['type', 'port', 'resolvers', 'ttlMin', 'ttlMax', 'interval'],
  file: [],
  http: ['interval', 'headers', 'timeout'],
  docker: ['port'],
  kubernetes: [],
};
const special = [...new Set(Object.values(keysOf).flat())];

/** Checks that a source is of one kind and has the keys of that kind. */
export function checkDiscovery(
  source: CheckedDiscovery,
  path: string,
  isFaulty: boolean,
  refuse: RefuseSource,
): void {
  const given = kinds.filter((kind) => source[kind] !== undefined);
  const [kind, another] = given;
  if (kind === undefined) {
    if (isFaulty) return;
    refuse(path, `must have one of ${kinds.join(', ')}`, 'found none of them');
    return;
  }
  if (another !== undefined) {
    const requirement = `must stand alone: a source has one of ${kinds.join(', ')}`;
    refuse(`${path}.${another}`, requirement, `found ${kind} too`);
    return;
  }
  for (const key of special) {
    if (source[key] === undefined || keysOf[kind].includes(key)) continue;
    const having = kinds.filter((each) => keysOf[each].includes(key)).join(' and ');
    refuse(`${path}.${key}`, `must be left out: it belongs to ${having}`, `found it with ${kind}`);
  }
  if (kind === 'dns') checkDns(source, path, isFaulty, refuse);
}

function checkDns(
  source: CheckedDiscovery,
  path: string,
  isFaulty: boolean,
  refuse: RefuseSource,
): void {
  const isSrv = source.type === 'srv';
  if (isSrv && source.port !== undefined) {
    const requirement = 'must be left out with type srv, whose records tell the port';
    refuse(`${path}.port`, requirement, `found ${source.port}`);
  }
  if (!isSrv && source.port === undefined && !isFaulty) {
    refuse(`${path}.port`, 'must be given where the type is not srv', 'found nothing', 'port: 80');
  }
  if (!isSrv && source.interval !== undefined) {
    const requirement = 'must be left out where answers tell how long they hold';
    refuse(`${path}.interval`, requirement, 'found a duration', 'ttlMax');
  }
  if ((source.ttlMin ?? 1_000) > (source.ttlMax ?? 300_000)) {
    refuse(`${path}.ttlMin`, 'must not be longer than ttlMax', `found ${source.ttlMin} ms`);
  }
}
