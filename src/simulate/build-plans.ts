import type { ConfigPool } from '../control/config/config.ts';
import type { CheckedClients, CheckedServers, CheckedTime } from './checked-scenario.ts';
import type { ClientPlan, ServerPlan } from './scenario.ts';
import type { ServiceTime } from './service-time.ts';

/** One plan per server of the pool; the last group stands for servers beyond the scenario's. */
export function buildPlans(groups: readonly CheckedServers[], pool: ConfigPool): ServerPlan[] {
  return pool.servers.map(({ labels }, index) => {
    const group = groups[index] ?? groups.at(-1) ?? {};
    return {
      zone: group.zone ?? labels['zone'] ?? '',
      concurrency: group.concurrency ?? 16,
      queueMax: group.queue ?? 10_000,
      service: buildTime(group.service, 10_000),
      errorRatio: group.errors?.share ?? 0,
      errorStatus: group.errors?.status ?? 500,
      late: { ratio: group.late?.share ?? 0, byUs: group.late?.by ?? 0 },
      cold: { factor: group.coldStart?.factor ?? 1, forUs: group.coldStart?.for ?? 0 },
      joinsAtUs: group.joins ?? 0,
      leavesAtUs: group.leaves ?? Number.POSITIVE_INFINITY,
    };
  });
}

/** Clients with their defaults. */
export function buildClients(clients: CheckedClients): ClientPlan {
  return {
    rate: clients.rate ?? 0,
    users: clients.users ?? 1000,
    think: buildTime(clients.think, 100_000),
    skew: clients.skew ?? 0,
    timeoutUs: clients.timeout ?? 30_000_000,
    retries: clients.retries ?? 0,
    backoffUs: clients.backoff ?? 100_000,
    postRatio: clients.posts ?? 0,
  };
}

function buildTime(time: CheckedTime | undefined, meanUs: number): ServiceTime {
  return {
    distribution: time?.distribution ?? 'exponential',
    meanUs: time?.mean ?? meanUs,
    spread: time?.spread ?? 1,
  };
}
