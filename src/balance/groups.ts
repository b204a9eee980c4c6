import type { Balancing } from '../model/balancing.ts';
import { Verdict } from '../model/shared-memory.ts';
import type { Server } from '../model/snapshot.ts';
import { eligibleServers } from './fitness.ts';

/** Servers that one picker chooses among, and the share of the traffic that they take. */
export interface Group {
  /** What tells it from the others of its pool, whatever their health. */
  readonly name: string;
  /** Who takes traffic now. */
  readonly servers: readonly Server[];
  /** Who could: those that are out for the moment included. */
  readonly members: readonly Server[];
  /** 0 … 1, the sum over all groups is 1; one of 0 stands in when the others can take no more. */
  readonly share: number;
}

/** Which groups take traffic now, those that are asked first in front, and how that came about. */
export interface EligibleGroups {
  readonly groups: readonly Group[];
  readonly isBackup: boolean;
  readonly isPanic: boolean;
}

/** What of a pool's configuration decides its groups. */
export type Grouping = Pick<Balancing, 'overprovision' | 'preferredZone'>;

/** Below this fit share of a tier softly ejected servers come back, when all tiers are short. */
const PANIC_SHARE = 0.5;

/**
 * Splits a pool by tiers and by the own zone. A tier takes as much as its fit share times
 * `overprovision` allows, the next tier what is left; within a tier the own zone does the same
 * before all others. With the default of 1.4, traffic begins to spill when under 71 % of a tier is
 * fit. A pool without tiers and zones is one group.
 * Source: the priority levels of Envoy, also for what remains when all tiers together are short:
 * shares in proportion to what they can take.
 */
export function eligibleGroups(
  servers: readonly Server[],
  verdictOf: (slot: number) => number,
  grouping: Grouping,
): EligibleGroups {
  const primaries = servers.filter(({ isBackup, weight }) => !isBackup && weight > 0);
  const numbers = [...new Set(primaries.map(({ tier }) => tier))].sort((a, b) => a - b);
  // Before anything is judged: most pools are plain, and some have ten thousand servers.
  if (numbers.length < 2 && grouping.preferredZone === null) return together(servers, verdictOf);
  const tiers = numbers.map((number) =>
    judged(
      primaries.filter(({ tier }) => tier === number),
      verdictOf,
    ),
  );
  if (tiers.every(({ fit }) => fit.length === 0)) return together(servers, verdictOf);
  const { overprovision } = grouping;
  const abilities = tiers.map((tier) => abilityOf(tier, overprovision));
  const total = abilities.reduce((sum, ability) => sum + ability, 0);
  const groups: Group[] = [];
  let isPanic = false;
  let left = 1;
  for (const [at, tier] of tiers.entries()) {
    const ability = abilities[at]!;
    const share = total < 1 ? ability / total : Math.min(ability, left);
    left -= share;
    const isShort = total < 1 && weightOf(tier.fit) < weightOf(tier.members) * PANIC_SHARE;
    const takesEjected = isShort && tier.ejected.length > 0 && tier.fit.length > 0;
    isPanic ||= takesEjected;
    const taking = takesEjected ? [...tier.fit, ...tier.ejected] : tier.fit;
    if (taking.length > 0)
      groups.push(...byZone(String(numbers[at]), { ...tier, fit: taking }, share, grouping));
  }
  return { groups: askedFirst(groups), isBackup: false, isPanic };
}

interface Tier {
  readonly fit: readonly Server[];
  readonly ejected: readonly Server[];
  /** Servers that would take traffic if they were well. */
  readonly members: readonly Server[];
}

function judged(servers: readonly Server[], verdictOf: (slot: number) => number): Tier {
  const verdicts = servers.map(({ slot }) => verdictOf(slot));
  const isKnown = (at: number): boolean => servers[at]!.target !== null;
  return {
    fit: servers.filter((_, at) => verdicts[at] === 0 && isKnown(at)),
    ejected: servers.filter((_, at) => verdicts[at] === Verdict.EJECTED && isKnown(at)),
    members: servers.filter((_, at) => (verdicts[at]! & Verdict.DRAINING) === 0),
  };
}

function abilityOf({ fit, members }: Tier, overprovision: number): number {
  const whole = weightOf(members);
  return whole === 0 ? 0 : Math.min(1, (weightOf(fit) / whole) * overprovision);
}

function byZone(name: string, tier: Tier, share: number, grouping: Grouping): Group[] {
  const { preferredZone, overprovision } = grouping;
  if (preferredZone === null) return [{ name, servers: tier.fit, members: tier.members, share }];
  const isNear = ({ labels }: Server): boolean => labels['zone'] === preferredZone;
  const isFar = (server: Server): boolean => !isNear(server);
  const near = { ...tier, fit: tier.fit.filter(isNear), members: tier.members.filter(isNear) };
  const far = { ...tier, fit: tier.fit.filter(isFar), members: tier.members.filter(isFar) };
  const ability = far.fit.length === 0 ? 1 : abilityOf(near, overprovision);
  const nearShare = near.fit.length === 0 ? 0 : ability * share;
  return [
    { name: `${name}-near`, servers: near.fit, members: near.members, share: nearShare },
    { name: `${name}-far`, servers: far.fit, members: far.members, share: share - nearShare },
  ].filter(({ servers }) => servers.length > 0);
}

/** Groups without a share come last: they only stand in. */
function askedFirst(groups: readonly Group[]): readonly Group[] {
  return [...groups.filter(({ share }) => share > 0), ...groups.filter(({ share }) => share <= 0)];
}

/** One group, with backups and panic as in a pool that has no tiers. */
function together(servers: readonly Server[], verdictOf: (slot: number) => number): EligibleGroups {
  const { servers: taking, isPanic, isBackup } = eligibleServers(servers, verdictOf);
  const members = servers.filter((server) => server.isBackup === isBackup && server.weight > 0);
  return {
    groups: [{ name: isBackup ? 'backup' : 'all', servers: taking, members, share: 1 }],
    isBackup,
    isPanic,
  };
}

function weightOf(servers: readonly Server[]): number {
  return servers.reduce((sum, { weight }) => sum + weight, 0);
}
