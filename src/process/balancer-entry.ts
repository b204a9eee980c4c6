import { availableParallelism } from 'node:os';
import type { Config } from '../control/config/config.ts';
import { limits } from '../model/limits.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import { chooseDriver } from '../platform/choose-driver.ts';
import { systemClock } from '../platform/clock.ts';
import { canPassDescriptors } from '../platform/socket-calls.ts';
import { ListenRefusal } from '../platform/sockets.ts';
import { openAround } from './around.ts';
import { Balancer } from './balancer.ts';
import { keepCompiledCode } from './compiled-code.ts';
import { ConfigSources } from './config-sources.ts';
import type { Loaded } from './configuration-source.ts';
import { type KeptState, keptState } from './kept-state.ts';
import { endHard, Lifecycle, surviveControlFaults } from './lifecycle.ts';
import { ListenerSockets } from './listener-sockets.ts';
import { createProcessLog } from './process-log.ts';
import { ExitCode, type RunOptions } from './run-options.ts';
import { connectStore } from './store-connection.ts';

/** Words of one worker's ledger, see model/shared-memory. */
const LEDGER_WORDS = 256;

const write = (line: string): void => void process.stderr.write(line);
const clock = systemClock;
const log = createProcessLog('balancer', write, () => clock.wallMs());

await main(JSON.parse(process.argv[2] ?? '{}') as RunOptions).catch((error: unknown) => {
  // Without a whole start there is no traffic that could go on: the supervisor tries again.
  log.error('The start failed', { what: error instanceof Error ? error.stack : String(error) });
  endHard();
});

/**
 * The balancer process from its options to traffic. Ends the process with a code when it cannot.
 */
async function main(options: RunOptions): Promise<void> {
  // Timers of ours do not hold the process; until the workers run, this one does.
  const alive = setInterval(() => {}, 1_000);
  const lifecycle = new Lifecycle(log);
  const store = connectStore({
    onSignal: (signal) => lifecycle.signalled(signal, 'forwarded'),
    onLost: (why) => {
      log.error('The supervisor is gone: draining', { why });
      lifecycle.signalled('SIGTERM', 'forwarded');
    },
  });
  surviveControlFaults(
    log,
    () => clock.nowMs(),
    (why) => {
      log.error('This process is replaced', { why, exit: ExitCode.BROKEN });
      endHard();
    },
  );
  const keptOrNull = store === null ? null : keptState(store);
  const sources = new ConfigSources(options, clock);
  const [loaded, kept] = await Promise.all([sources.load(), keptOrNull]);
  const config = configOf(loaded, kept);
  if (!loaded.ok) for (const what of await sources.open(config)) log.error(what);
  const driver = driverOf(options);
  const hasDescriptors = canPassDescriptors();
  const sockets = new ListenerSockets({ store, hasDescriptors, wait });
  const adopted = await sockets.adopt();
  const workers = hasDescriptors ? workersOf(options, config, adopted) : 1;
  sockets.workers = workers;
  const opened = await sockets.change(config.listeners).catch(refuseToListen);

  const balancer = new Balancer({
    options,
    config,
    sources,
    kept,
    driver,
    workers,
    sockets,
    store,
    clock,
    random: Math.random,
    log,
    areFaultsArmed: process.env['EVENKEEL_TEST_FAULTS'] === '1',
    reclaim: driver.name === 'uring' ? await reclaimOf() : () => 0,
    exit: (code) => process.exit(code),
  });
  lifecycle.attach({
    reload: () => void balancer.reload(),
    drain: () => balancer.drain(),
    stopNow: () => balancer.stopNow(),
  });
  if (lifecycle.isStopWanted) process.exit(ExitCode.DRAINED);
  await balancer.start();
  clearInterval(alive);
  await opened.finish();
  log.info('Takes traffic', {
    driver: driver.name,
    reason: driver.reason,
    workers,
    listeners: config.listeners.map(({ name, address }) => `${name} ${address}`),
    adopted: adopted !== null,
    startMs: Math.round(performance.now()),
  });
  await store?.announce('running');
  await openAround({ balancer, options, sources, config, log, clock });
  keepCompiledCode();
}

/** A broken file stops a first start. After a crash the last good configuration serves on. */
function configOf(loaded: Loaded, kept: KeptState | null): Config {
  if (loaded.ok) return loaded.config;
  if (kept === null) {
    for (const problem of loaded.problems) write(`${problem}\n`);
    process.exit(ExitCode.BAD_CONFIGURATION);
  }
  log.error('The configuration is broken: the last good one is used', {
    problems: loaded.problems,
  });
  return kept.config;
}

function driverOf(options: RunOptions): { name: 'uring' | 'portable'; reason: string } {
  try {
    return chooseDriver(options.driver);
  } catch (error) {
    write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(ExitCode.BAD_CONFIGURATION);
  }
}

/** Every stored socket must have its worker, so what was stored decides. */
function workersOf(options: RunOptions, config: Config, adopted: number | null): number {
  const wanted = options.workers ?? config.workers ?? availableParallelism();
  if (adopted !== null && adopted !== wanted) {
    log.warn('The number of workers stays until the supervisor is started anew', {
      wanted,
      adopted,
    });
  }
  return Math.min(Math.max(adopted ?? wanted, 1), limits.workers);
}

function refuseToListen(error: unknown): never {
  if (!(error instanceof ListenRefusal)) throw error;
  write(`${error.message}\n`);
  process.exit(ExitCode.CANNOT_LISTEN);
}

async function reclaimOf(): Promise<(words: SharedWords, worker: number) => number> {
  const { reclaimDeadWorker } = await import('../platform/uring/reclaim.ts');
  const bitWords = limits.descriptors >>> 5;
  return (words, worker) =>
    reclaimDeadWorker(
      words.ledger.subarray(worker * LEDGER_WORDS, (worker + 1) * LEDGER_WORDS),
      words.descriptorBits.subarray(worker * bitWords, (worker + 1) * bitWords),
    );
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
