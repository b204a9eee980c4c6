import type { CandidateGroup, EligibleSet } from '../../balance/eligible.ts';
import type { LatencyBook } from '../../balance/latency-book.ts';
import { durationText } from '../../base/duration-text.ts';
import type { Pool, Server } from '../../model/snapshot.ts';
import type { PoolHealthReport, ServerHealthReport } from '../report/health-report.ts';
import type { ExplainedServer } from './explanation.ts';

/** What the servers of a pool are told by. */
export interface ServerMeans {
  readonly set: EligibleSet;
  readonly latency: LatencyBook;
  /** Null where nothing runs. */
  readonly inFlight: Int32Array | null;
  readonly report: PoolHealthReport | null;
}

/** Policies whose choice is no matter of weights alone. */
const unshared = new Set(['first', 'custom']);

/** Each server as the policy sees it, in written order. */
export function explainServers(pool: Pool, means: ServerMeans): ExplainedServer[] {
  const { set, latency, inFlight, report } = means;
  const known = new Map(report?.servers.map((server) => [server.address, server]));
  const { groups } = set;
  return pool.servers.map((server): ExplainedServer => {
    const health = known.get(server.address) ?? null;
    const group = groups.find(({ candidates }) =>
      candidates.some((candidate) => candidate.slot === server.slot),
    );
    const candidate = group?.candidates.find(({ slot }) => slot === server.slot);
    const load = inFlight === null ? null : Atomics.load(inFlight, server.slot);
    const loadMax = server.connectionsMax > 0 ? server.connectionsMax : null;
    const full = candidate === undefined ? null : fullText(server, load ?? 0, set);
    const isFull = full !== null;
    const factor = candidate?.factor ?? 1;
    return {
      address: server.address,
      isEligible: candidate !== undefined && !isFull,
      why: full?.why ?? whyOf(server, health, group),
      sinceMs: isFull ? null : (health?.sinceMs ?? null),
      next: full?.next ?? health?.next ?? null,
      weight: server.weight * factor,
      factor,
      factorWhy: factor === 1 ? null : factorText(health, report?.atMs ?? 0),
      share: isFull ? 0 : shareOf(server, group, pool),
      group: groupText(server, pool, group),
      load,
      loadMax,
      latencyMs: latencyOf(latency, server.slot),
    };
  });
}

/** The limit of its own that a server is at, and what ends that; null where it has room. */
function fullText(
  { slot, connectionsMax, pendingMax = 0 }: Server,
  load: number,
  { words }: EligibleSet,
): { readonly why: string; readonly next: string } | null {
  if (connectionsMax > 0 && load >= connectionsMax) {
    const why = `full: ${load} of ${connectionsMax} places are taken`;
    return { why, next: 'back as soon as a request on it ends' };
  }
  const pending = Atomics.load(words.pending, slot);
  if (pendingMax === 0 || pending < pendingMax) return null;
  const why = `full: ${pending} of ${pendingMax} requests wait for its answer`;
  return { why, next: 'back as soon as an answer of it begins' };
}

function whyOf(
  server: Server,
  health: ServerHealthReport | null,
  group: CandidateGroup | undefined,
): string {
  if (health !== null) return health.why;
  if (server.weight === 0) return 'its weight is 0: it gets no new requests';
  if (server.target === null) return 'its name has no address';
  if (group !== undefined) return 'takes traffic';
  return server.isBackup
    ? 'a backup: it gets requests when no other server can'
    : 'others are asked before it';
}

/** Why a server gets less than its weight. */
function factorText(health: ServerHealthReport | null, atMs: number): string {
  const { slowStart = null, weightFactor = 1, toldFactor = 1 } = health ?? {};
  const parts = [
    ...(slowStart === null
      ? []
      : [`slow start, whole in ${durationText(slowStart.wholeAtMs - atMs)}`]),
    ...(weightFactor === 1 ? [] : ['its agent or program says so']),
    ...(toldFactor === 1 ? [] : ['by the load that it tells']),
  ];
  return parts.join(', ');
}

function shareOf(
  { slot }: Server,
  group: CandidateGroup | undefined,
  { policy }: Pool,
): number | null {
  if (unshared.has(policy)) return null;
  if (group === undefined) return 0;
  const sum = group.candidates.reduce((all, { weight }) => all + weight, 0);
  const own = group.candidates.find((candidate) => candidate.slot === slot)?.weight ?? 0;
  return sum === 0 ? 0 : (group.share * own) / sum;
}

/** `tier 1, zone b (not ours)`; null in a pool without tiers and zones. */
function groupText(
  { tier, labels, isBackup }: Server,
  { servers, balancing }: Pool,
  group: CandidateGroup | undefined,
): string | null {
  const hasTiers = servers.some((server) => !server.isBackup && server.tier !== servers[0]?.tier);
  const { preferredZone } = balancing;
  const zone = labels['zone'] ?? 'none';
  const parts = [
    ...(isBackup ? ['backup'] : hasTiers ? [`tier ${tier}`] : []),
    ...(preferredZone === null ? [] : [`zone ${zone}${zone === preferredZone ? ', ours' : ''}`]),
    ...(group?.share === 0 ? ['only stands in when the others cannot take all'] : []),
  ];
  return parts.length === 0 ? null : parts.join(', ');
}

function latencyOf(latency: LatencyBook, slot: number): number | null {
  const us = latency.estimateUs(slot, latency.now());
  return us === 0 ? null : Math.round(us) / 1000;
}
