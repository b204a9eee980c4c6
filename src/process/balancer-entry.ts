import { availableParallelism } from 'node:os';
import type { Config } from '../control/config/config.ts';
import { limits } from '../model/limits.ts';
import type { SharedWords } from '../model/shared-memory.ts';
import { chooseDriver } from '../platform/choose-driver.ts';
import { systemClock } from '../platform/clock.ts';
import { canPassDescriptors } from '../platform/socket-calls.ts';
import { ListenRefusal, takeDescriptor } from '../platform/sockets.ts';
import { openAround } from './around.ts';
import { Balancer } from './balancer.ts';
import { keepCompiledCode } from './compiled-code.ts';
import { ConfigSources } from './config-sources.ts';
import type { Loaded } from './configuration-source.ts';
import { heritageOf } from './hand-over.ts';
import { type KeptState, keptState } from './kept-state.ts';
import { endHard, Lifecycle, surviveControlFaults } from './lifecycle.ts';
import { type ListenerChange, ListenerSockets } from './listener-sockets.ts';
import { createProcessLog } from './process-log.ts';
import { ExitCode, type RunOptions } from './run-options.ts';
import type { StoreClient } from './store-client.ts';
import { connectStore } from './store-connection.ts';

/** Words of one worker's ledger, see model/shared-memory. */
const LEDGER_WORDS = 256;

const STDERR = 2;
/** Of a reason that is told to the supervisor. */
const FAILURE_CHARACTERS_MAX = 4_000;

const write = (line: string): void => void process.stderr.write(line);
const clock = systemClock;
const log = createProcessLog('balancer', write, () => clock.wallMs());

/** Another balancer takes traffic and this one is to take over: nothing else may be touched before. */
const isTried = process.env['EVENKEEL_IS_TRIED'] === '1';
let store: StoreClient | null = null;

await main(JSON.parse(process.argv[2] ?? '{}') as RunOptions).catch(async (error: unknown) => {
  // Without a whole start there is no traffic that could go on: the supervisor tries again.
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error('The start failed', { what });
  await tellFailure(what);
  endHard();
});

/**
 * The balancer process from its options to traffic. Ends the process with a code when it cannot.
 */
async function main(options: RunOptions): Promise<void> {
  // Timers of ours do not hold the process; until the workers run, this one does.
  const alive = setInterval(() => {}, 1_000);
  const lifecycle = new Lifecycle(log);
  let balancer: Balancer | null = null;
  store = connectStore({
    onNotice: (notice) => {
      if (notice.signal !== undefined) lifecycle.signalled(notice.signal, 'forwarded');
      else balancer?.handOver.notice(notice);
    },
    onLost: (why) => {
      log.error('The supervisor is gone: draining', { why });
      lifecycle.signalled('SIGTERM', 'forwarded');
    },
  });
  surviveControlFaults(log, () => clock.nowMs(), endBroken);
  const heritage = isTried && store !== null ? await heritageOf(store) : null;
  const keptOrNull = store === null ? null : keptState(store);
  const sources = new ConfigSources(options, clock);
  const [loaded, kept] = await Promise.all([sources.load(), keptOrNull]);
  const config = await configOf(loaded, kept);
  if (!loaded.ok) for (const what of await sources.open(config)) log.error(what);
  const driver = await driverOf(options);
  const hasDescriptors = canPassDescriptors();
  const sockets = new ListenerSockets({ store, hasDescriptors, wait });
  const adopted = await sockets.adopt();
  const workers = hasDescriptors ? workersOf(options, config, adopted) : 1;
  sockets.workers = workers;
  const opened = await sockets.change(config.listeners).catch(refuseToListen);

  balancer = new Balancer({
    options,
    config,
    sources,
    kept,
    heritage,
    generation: Number(process.env['EVENKEEL_GENERATION'] ?? '1'),
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
  const running = balancer;
  attach(lifecycle, running);
  if (lifecycle.isStopWanted) process.exit(ExitCode.DRAINED);
  await running.start();
  clearInterval(alive);
  if (!isTried) await opened.finish();
  log.info('Takes traffic', {
    driver: driver.name,
    reason: driver.reason,
    workers,
    listeners: config.listeners.map(({ name, address }) => `${name} ${address}`),
    adopted: adopted !== null,
    startMs: Math.round(performance.now()),
  });
  if (isTried) await takeOver(running, sockets, opened);
  else await store?.announce('running');
  await openAround({ balancer: running, options, sources, config, store, log, clock });
  keepCompiledCode();
}

function attach(lifecycle: Lifecycle, running: Balancer): void {
  lifecycle.attach({
    reload: () => void running.reload(),
    drain: () => running.ending.drain(),
    stopNow: () => running.ending.stopNow(),
    upgrade: () => void running.upgrade(),
  });
}

/** Both accept now: the one before gives its place up, then ours is the only one. */
async function takeOver(
  running: Balancer,
  sockets: ListenerSockets,
  opened: ListenerChange,
): Promise<void> {
  takeDescriptor(Number(process.env['EVENKEEL_STDERR'] ?? ''), STDERR);
  await store?.announce('running');
  await running.handOver.whenTakenOver();
  // The one before still accepts what had come to listeners that we have not.
  sockets.refuseUnused();
  await opened.finish();
}

/** A broken file stops a first start, and an upgrade. After a crash the last good configuration serves on. */
async function configOf(loaded: Loaded, kept: KeptState | null): Promise<Config> {
  if (loaded.ok) return loaded.config;
  if (kept === null || isTried) {
    await tellFailure(`the configuration is refused:\n${loaded.problems.join('\n')}`);
    for (const problem of loaded.problems) write(`${problem}\n`);
    process.exit(ExitCode.BAD_CONFIGURATION);
  }
  log.error('The configuration is broken: the last good one is used', {
    problems: loaded.problems,
  });
  return kept.config;
}

async function driverOf(
  options: RunOptions,
): Promise<{ name: 'uring' | 'portable'; reason: string }> {
  try {
    return chooseDriver(options.driver);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    write(`${why}\n`);
    await tellFailure(why);
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

async function refuseToListen(error: unknown): Promise<never> {
  if (!(error instanceof ListenRefusal)) throw error;
  write(`${error.message}\n`);
  await tellFailure(error.message);
  process.exit(ExitCode.CANNOT_LISTEN);
}

function endBroken(why: string): void {
  log.error('This process is replaced', { why, exit: ExitCode.BROKEN });
  endHard();
}

/** The balancer that we were to replace tells its operator. */
async function tellFailure(why: string): Promise<void> {
  if (isTried)
    await store?.announce('failed', why.slice(0, FAILURE_CHARACTERS_MAX)).catch(() => {});
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
