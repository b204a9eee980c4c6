import { EligibleSet, type EligibleWords } from '../../balance/eligible.ts';
import { LatencyBook, type LatencyWords } from '../../balance/latency-book.ts';
import { ALL_BUSY, NONE, type PickRequest } from '../../balance/policy.ts';
import { RequestValue } from '../../match/request-value.ts';
import { SplitTable } from '../../match/split.ts';
import { shareText } from '../../match/told-conditions.ts';
import type { Split } from '../../model/actions.ts';
import { allocateShared, attachWords } from '../../model/shared-memory.ts';
import type { Pool, Route, Snapshot } from '../../model/snapshot.ts';
import type { Head } from '../../wire/http1/head.ts';
import type { PoolHealthReport } from '../report/health-report.ts';
import { explainGate, type GateWords, refusalText } from './explain-gate.ts';
import { explainServers } from './explain-servers.ts';
import { explainSession } from './explain-session.ts';
import type { ExplainedPool } from './explanation.ts';

type PoolWords = EligibleWords & LatencyWords & GateWords;

/** What the policies' view is made of. */
export interface PoolMeans {
  readonly snapshot: Snapshot;
  /** The words of the running balancer; null where a file is explained and nothing runs. */
  readonly words: PoolWords | null;
  /** Everything that is known of a pool's health; null where nothing runs. */
  readonly reportOf: (pool: string) => PoolHealthReport | null;
  /** ms since 1970. */
  readonly wallClock: () => number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** The clock of latencies: ms, wrapped to 31 bits. */
  readonly latencyClock: () => number;
}

/** Where a route sends a request. */
export interface Destinations {
  readonly pools: readonly ExplainedPool[];
  readonly does: readonly string[];
}

type NamedPool = Pick<ExplainedPool, 'pool' | 'why' | 'role'>;

/** Tells what a route does with a request, and each pool's view of its servers. */
export function explainDestinations(
  route: Route,
  head: Head,
  addressHash: number,
  means: PoolMeans,
): Destinations {
  const { actions, respond } = route;
  const does = doesOf(route);
  if (respond !== null || actions?.redirect) return { pools: [], does };
  const named: NamedPool[] = [];
  if (actions?.split) named.push(...splitPools(actions.split, head, addressHash));
  else if (route.pool !== null)
    named.push({
      pool: route.pool,
      why: `the pool of the route${subsetText(route)}`,
      role: 'chosen',
    });
  if (actions?.fallback) {
    const why = 'the fallback, where that cannot serve it';
    named.push({ pool: actions.fallback, why, role: 'fallback' });
  }
  const pools = named.flatMap(({ pool: name, ...about }) => {
    const pool = means.snapshot.pools.find((one) => one.name === name);
    if (pool === undefined) return [];
    const isRoutes = name === route.pool && !actions?.split;
    const part = isRoutes ? subsetOf(pool, route) : pool;
    return [explainPool(part, about, head, addressHash, means)];
  });
  return { pools, does };
}

/** The servers of the pool that have the labels which the route asks for. */
function subsetOf(pool: Pool, { subset }: Route): Pool {
  const wanted = Object.entries(subset ?? {});
  const servers = pool.servers.filter(({ labels }) =>
    wanted.every(([label, value]) => labels[label] === value),
  );
  return wanted.length === 0 ? pool : { ...pool, servers };
}

function subsetText({ subset }: Route): string {
  const wanted = Object.entries(subset ?? {}).map(([label, value]) => `${label}: ${value}`);
  return wanted.length === 0 ? '' : `, servers with ${wanted.join(', ')} only`;
}

/** The pools of a split, the one that takes this very request first. */
function splitPools({ by, shares }: Split, head: Head, addressHash: number): NamedPool[] {
  const sum = shares.reduce((all, { weight }) => all + weight, 0);
  const how = 'name' in by ? `${by.kind} ${by.name}` : by.kind;
  const shareOf = (weight: number): string => `${shareText(weight / sum)} of a split by ${how}`;
  if (by.kind === 'request') {
    return shares.map(({ pool, weight }) => ({
      pool,
      why: `${shareOf(weight)}, drawn anew for each`,
      role: 'drawn' as const,
    }));
  }
  const key = 'name' in by ? new RequestValue({ from: by.kind, name: by.name }) : null;
  const hash = key === null ? addressHash : key.hashOr(head, addressHash);
  const chosen = new SplitTable(shares).of(hash);
  const rows = shares.map(({ pool, weight }, at) => ({
    pool,
    why: `${shareOf(weight)}: ${at === chosen ? 'takes this user' : 'takes other users'}`,
    role: at === chosen ? ('chosen' as const) : ('others' as const),
  }));
  return [rows[chosen]!, ...rows.filter((_row, at) => at !== chosen)];
}

function doesOf({ respond, actions }: Route): string[] {
  const does: string[] = [];
  if (respond !== null) does.push(`answers ${respond.status} by itself`);
  if (actions === null) return does;
  const { redirect, rewrite, requestHeaders, responseHeaders, mirror } = actions;
  if (redirect !== null) does.push(`redirects with ${redirect.status} to ${redirect.to}`);
  if (rewrite !== null) does.push('rewrites host or path');
  if (requestHeaders !== null) does.push('changes headers of the request');
  if (responseHeaders !== null) does.push('changes headers of the response');
  if (mirror !== null) does.push(`copies ${shareText(mirror.share)} to the pool ${mirror.pool}`);
  return does;
}

/** Policies that name the same server for the same request as long as servers and loads stay. */
const steady = new Set(['hash', 'ip-hash', 'first', 'least-connections']);

function explainPool(
  pool: Pool,
  about: Pick<ExplainedPool, 'why' | 'role'>,
  head: Head,
  addressHash: number,
  means: PoolMeans,
): ExplainedPool {
  const words = means.words ?? restingWords();
  const report = means.reportOf(pool.name);
  const latency = new LatencyBook(words, means.latencyClock);
  const set = new EligibleSet(
    pool,
    // A copy: asking must not take a turn from anybody.
    { ...words, cursor: words.cursor.slice() },
    { worker: 0, random: means.random, latency, shelves: new Map() },
  );
  // A policy of the user's own is loaded by the workers only.
  const isOwn = pool.policy === 'custom';
  const session = explainSession(pool, head, words, means.wallClock());
  const slot =
    session?.server?.slot ??
    (isOwn ? ownSlot(set) : set.picker().pick(requestOf(pool, head, addressHash)));
  const gate = explainGate(pool, head, words, report, {
    picked: slot,
    noneCode: set.reasonFor(Math.min(slot, NONE)),
  });
  const { code, ...gateWords } = gate;
  const inFlight = means.words === null ? null : words.inFlight;
  const isChosen = gate.fate === 'server' && !(isOwn && session?.server == null);
  const picked = isChosen ? pool.servers.find((server) => server.slot === slot) : undefined;
  return {
    pool: pool.name,
    ...about,
    policy: pool.policy,
    says: isOwn ? 'a policy of your own' : set.policy.says,
    isPanic: set.isPanic,
    isBackup: set.isBackup,
    ...gateWords,
    session: session?.says ?? null,
    servers: explainServers(pool, { set, latency, inFlight, report }),
    picked: picked?.address ?? null,
    pickedWhy:
      code !== null
        ? refusalText(code)
        : gate.fate === 'waits'
          ? 'it waits in the queue first'
          : session?.server != null
            ? 'its session is there'
            : isOwn
              ? 'workers ask your own policy; it is not asked here'
              : pickedText(pool),
  };
}

function requestOf(pool: Pool, head: Head, addressHash: number): PickRequest {
  const { key } = pool.balancing;
  const value = pool.policy === 'hash' && key.from !== 'ip' ? new RequestValue(key) : null;
  return {
    addressHash,
    keyHash: value === null ? addressHash : value.hashOr(head, addressHash),
    tried: new Int32Array(0),
    triedCount: 0,
  };
}

/** Some slot that a policy of the user's own could choose, or why it has none. */
function ownSlot({ candidates, words }: EligibleSet): number {
  const free = candidates.find(
    ({ slot, connectionsMax, pendingMax }) =>
      (connectionsMax === 0 || Atomics.load(words.inFlight, slot) < connectionsMax) &&
      (pendingMax === 0 || Atomics.load(words.pending, slot) < pendingMax),
  );
  return free?.slot ?? (candidates.length === 0 ? NONE : ALL_BUSY);
}

function pickedText(pool: Pool): string {
  if (steady.has(pool.policy)) return 'as things are now';
  return pool.policy === 'round-robin'
    ? 'next in turn now'
    : 'for this one; drawn anew for each request';
}

/** Nothing runs: every server is well and idle. */
function restingWords(): PoolWords {
  return attachWords(allocateShared(1, { counterCount: 1, histogramWords: 1 }));
}
