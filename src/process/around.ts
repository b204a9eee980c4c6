import type { Config } from '../control/config/config.ts';
import type { Clock } from '../platform/clock.ts';
import { keptAdminSockets } from './admin-sockets.ts';
import type { Balancer } from './balancer.ts';
import type { ConfigSources } from './config-sources.ts';
import { configurationPath } from './configuration-source.ts';
import type { ProcessLog } from './process-log.ts';
import type { RunOptions } from './run-options.ts';
import type { StoreClient } from './store-client.ts';
import { version } from './version.ts';

/** The running balancer and what it was started with. */
export interface Surroundings {
  readonly balancer: Balancer;
  readonly options: RunOptions;
  readonly sources: ConfigSources;
  readonly config: Config;
  /** Keeps the admin sockets; null: they end with this process. */
  readonly store: StoreClient | null;
  readonly log: ProcessLog;
  readonly clock: Clock;
}

/**
 * Opens what traffic does not need, once it flows: the admin API and the watch on the files
 * of the configuration. Errors: none; what cannot be opened is logged, since traffic does not depend on it.
 */
export async function openAround(surroundings: Surroundings): Promise<void> {
  const { balancer, sources, log, config } = surroundings;
  sources.watch((file) => {
    log.info('The configuration file changed', { file });
    void balancer.reload();
  });
  balancer.ending.before(async () => sources.stopWatching());
  balancer.ending.whenReplaced(() => sources.stopWatching());
  void balancer.past.use(config);
  balancer.ending.before(() => balancer.past.stop());
  balancer.ending.whenReplaced(() => void balancer.past.stop());
  try {
    await openAdmin(surroundings);
  } catch (error) {
    log.error('The admin API is not open; traffic is not affected', { why: String(error) });
  }
}

/** Loaded only now: the admin API is a good part of all code, and a restart must be quick. */
async function openAdmin({
  balancer,
  options,
  config,
  store,
  clock,
  log,
}: Surroundings): Promise<void> {
  const { startAdmin } = await import('../control/admin/server.ts');
  const supervisor = Number(process.env['EVENKEEL_SUPERVISOR'] ?? '');
  const admin = await startAdmin({
    control: balancer,
    clock,
    configFile: configurationPath(options),
    pid: process.pid,
    supervisorPid: supervisor > 0 ? supervisor : null,
    sockets: store === null ? null : await keptAdminSockets(store),
    socketPath: options.socket ?? config.admin.socket,
    address: config.admin.address,
    token: config.admin.token,
    listeners: config.listeners.map(({ address }) => address),
    version,
    areFaultsArmed: process.env['EVENKEEL_TEST_FAULTS'] === '1',
    log: (level, message) => log[level](message),
  });
  balancer.ending.before(() => (balancer.ending.isReplaced ? Promise.resolve() : admin.close()));
  balancer.ending.whenReplaced(() => void admin.leave());
  log.info('The admin API is open', { socket: admin.files.socketPath, port: admin.port });
}
