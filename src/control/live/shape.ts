import type { LivePool, LiveShape } from '../../model/live.ts';
import type { ProcessStatus, TrafficMeans } from '../report/build-status.ts';

/** Servers above which a tick comes every five seconds: a frame of 10,000 is a megabyte. */
const quickServersMax = 2_000;

/** What rarely changes. Cost: one pass over all servers' verdicts. */
export function liveShape(
  process: ProcessStatus,
  traffic: TrafficMeans,
  hasHistory: boolean,
): LiveShape {
  const { snapshot } = traffic;
  const { configuration } = process;
  const last = configuration.lastReload;
  const servers = snapshot.pools.reduce((sum, pool) => sum + pool.servers.length, 0);
  return {
    version: process.version,
    startedAtMs: process.startedAtMs,
    pid: process.pids.balancer,
    driver: process.driver.name,
    file: configuration.file,
    configuration: configuration.version,
    isDraining: process.isDraining,
    reloadProblems: last === null || last.ok ? null : last.problems,
    connectionsMax: snapshot.limits.connectionsMax,
    hasHistory,
    everyMs: servers > quickServersMax ? 5_000 : 1_000,
    listeners: snapshot.listeners.map(({ name, address, protocol }) => ({
      name,
      address,
      protocol,
    })),
    routes: snapshot.routes.map(({ name, pool }) => ({ name, pool })),
    pools: snapshot.pools.map((pool): LivePool => {
      const view = traffic.conditionOf(pool.name);
      return {
        name: pool.name,
        policy: pool.policy,
        condition: view?.condition ?? 'down',
        why: view?.why ?? 'not yet known',
        servers: pool.servers.map(({ address, slot, weight, isBackup, connectionsMax }) => {
          const health = traffic.healthOf(slot);
          const last = health?.history.at(-1);
          return {
            address,
            weight,
            isBackup,
            connectionsMax,
            state: health?.state ?? 'down',
            why: health?.why ?? 'not yet known',
            sinceMs: last !== undefined && isOneSpell(last.state, health?.state) ? last.atMs : null,
          };
        }),
      };
    }),
  };
}

/** History tells an outage once, by the state that it began with. */
function isOneSpell(noted: string, state: string | undefined): boolean {
  const isOut = (word: string | undefined): boolean => word !== 'up' && word !== 'draining';
  return noted === state || (isOut(noted) && isOut(state));
}
