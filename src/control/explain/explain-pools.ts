import { EligibleSet, type EligibleWords } from '../../balance/eligible.ts';
import { LatencyBook, type LatencyWords } from '../../balance/latency-book.ts';
import { NONE, type PickRequest } from '../../balance/policy.ts';
import { RequestValue } from '../../match/request-value.ts';
import { SplitTable } from '../../match/split.ts';
import { shareText } from '../../match/told-conditions.ts';
import type { Split } from '../../model/actions.ts';
import { failureKind } from '../../model/failure.ts';
import { allocateShared, attachWords } from '../../model/shared-memory.ts';
import type { Pool, Route, Snapshot } from '../../model/snapshot.ts';
import type { Head } from '../../wire/http1/head.ts';
import type { ExplainedPool, ExplainedServer } from './explanation.ts';

/** What the policies' view is made of. */
export interface PoolMeans {
  readonly snapshot: Snapshot;
  /** The words of the running balancer; null where a file is explained and nothing runs. */
  readonly words: (EligibleWords & LatencyWords) | null;
  /** A server's state and why, in words. */
  readonly healthOf: (slot: number) => { readonly state: string; readonly why: string } | null;
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
  const named: { readonly pool: string; readonly why: string }[] = [];
  if (actions?.split) named.push(...splitPools(actions.split, head, addressHash));
  else if (route.pool !== null)
    named.push({ pool: route.pool, why: `the pool of the route${subsetText(route)}` });
  if (actions?.fallback) named.push({ pool: actions.fallback, why: 'where that cannot serve it' });
  const pools = named.flatMap(({ pool: name, why }) => {
    const pool = means.snapshot.pools.find((one) => one.name === name);
    if (pool === undefined) return [];
    const isRoutes = name === route.pool && !actions?.split;
    const part = isRoutes ? subsetOf(pool, route) : pool;
    return [explainPool(part, why, head, addressHash, means)];
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
function splitPools(
  { by, shares }: Split,
  head: Head,
  addressHash: number,
): { readonly pool: string; readonly why: string }[] {
  const sum = shares.reduce((all, { weight }) => all + weight, 0);
  const how = 'name' in by ? `${by.kind} ${by.name}` : by.kind;
  const shareOf = (weight: number): string => `${shareText(weight / sum)} of a split by ${how}`;
  if (by.kind === 'request') {
    return shares.map(({ pool, weight }) => ({
      pool,
      why: `${shareOf(weight)}, drawn anew for each`,
    }));
  }
  const key = 'name' in by ? new RequestValue({ from: by.kind, name: by.name }) : null;
  const hash = key === null ? addressHash : key.hashOr(head, addressHash);
  const chosen = new SplitTable(shares).of(hash);
  const rows = shares.map(({ pool, weight }, at) => ({
    pool,
    why: `${shareOf(weight)}: ${at === chosen ? 'takes this user' : 'takes other users'}`,
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
  why: string,
  head: Head,
  addressHash: number,
  means: PoolMeans,
): ExplainedPool {
  const words = means.words ?? restingWords();
  const latency = new LatencyBook(words, means.latencyClock);
  const set = new EligibleSet(
    pool,
    // A copy: asking must not take a turn from anybody.
    { ...words, cursor: words.cursor.slice() },
    { worker: 0, random: means.random, latency, shelves: new Map() },
  );
  const { key } = pool.balancing;
  const value = pool.policy === 'hash' && key.from !== 'ip' ? new RequestValue(key) : null;
  const request: PickRequest = {
    addressHash,
    keyHash: value === null ? addressHash : value.hashOr(head, addressHash),
    tried: new Int32Array(0),
    triedCount: 0,
  };
  // A policy of the user's own is loaded by the workers only.
  const isOwn = pool.policy === 'custom';
  const slot = isOwn ? NONE : set.picker().pick(request);
  const weights = new Map(set.candidates.map((one) => [one.slot, one.nominalWeight * one.factor]));
  const servers = pool.servers.map((server): ExplainedServer => {
    const health = means.healthOf(server.slot);
    const weight = weights.get(server.slot);
    const full = server.connectionsMax > 0 && loadOf(words, server.slot) >= server.connectionsMax;
    return {
      address: server.address,
      isEligible: weight !== undefined && !full,
      why: full ? `full: its limit is ${server.connectionsMax}` : whyOf(server, weight, health),
      weight: weight ?? server.weight,
      load: means.words === null ? null : loadOf(words, server.slot),
      latencyMs: latencyOf(latency, server.slot),
    };
  });
  const picked = pool.servers.find((server) => server.slot === slot)?.address ?? null;
  return {
    pool: pool.name,
    why,
    policy: pool.policy,
    says: isOwn ? 'a policy of your own' : set.policy.says,
    isPanic: set.isPanic,
    isBackup: set.isBackup,
    servers,
    picked,
    pickedWhy: isOwn
      ? 'workers ask your own policy; it is not asked here'
      : picked === null
        ? noneText(set, slot)
        : pickedText(pool),
  };
}

function whyOf(
  server: Pool['servers'][number],
  weight: number | undefined,
  health: ReturnType<PoolMeans['healthOf']>,
): string {
  const said = health === null ? '' : `${health.state}: ${health.why}`;
  if (weight !== undefined) return said === '' ? 'takes traffic' : said;
  if (server.weight === 0) return 'has weight 0';
  if (health !== null && health.state !== 'up') return said;
  if (server.target === null) return 'its name has no address';
  return server.isBackup ? 'a backup, while others can serve' : 'others are asked first';
}

function pickedText(pool: Pool): string {
  if (pool.balancing.sticky !== null) return 'for a client without a session';
  if (steady.has(pool.policy)) return 'as things are now';
  return pool.policy === 'round-robin'
    ? 'next in turn now'
    : 'for one; drawn anew for each request';
}

function noneText(set: EligibleSet, slot: number): string {
  const code = set.reasonFor(Math.min(slot, NONE));
  return `${code}: ${failureKind(code).says}`;
}

function loadOf(words: EligibleWords, slot: number): number {
  return Atomics.load(words.inFlight, slot);
}

function latencyOf(latency: LatencyBook, slot: number): number | null {
  const us = latency.estimateUs(slot, latency.now());
  return us === 0 ? null : Math.round(us) / 1000;
}

/** Nothing runs: every server is well and idle. */
function restingWords(): EligibleWords & LatencyWords {
  return attachWords(allocateShared(1, { counterCount: 1, histogramWords: 1 }));
}
