import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { PoolStatus } from '../../src/control/report/status.ts';
import { type Balancer, startBalancer, untilServersAre } from './harness.ts';
import { PacedLoad, type PacedReport } from './paced-load.ts';
import { freePort } from './ports.ts';
import { type Ailment, type SickServer, startSickServers } from './sick-server.ts';
import { until } from './waiting.ts';

/** How a drill is run. */
export interface DrillOptions {
  readonly driver: 'uring' | 'portable';
  readonly durationMs: number;
  /** Settings of the pool besides its servers. */
  readonly pool?: Readonly<Record<string, unknown>>;
}

/** What one sick server of five did to clients. */
export interface GrayReport {
  readonly load: PacedReport;
  /** From the first sick answer to the ejection, ms. */
  readonly ejectedAfterMs: number;
  /** Most servers out at one time. */
  readonly outMost: number;
  /** Share of all requests that the sick server had. */
  readonly sickShare: number;
  readonly why: string;
}

/** How often the state is looked at. */
const LOOK_MS = 50;

interface Stage {
  readonly balancer: Balancer;
  readonly servers: readonly SickServer[];
  readonly load: PacedLoad;
}

async function setUp(
  test: Pick<TestContext, 'after'>,
  { driver, pool = {} }: DrillOptions,
): Promise<Stage> {
  const servers = await startSickServers(test, 5);
  const port = await freePort();
  const balancer = await startBalancer(
    test,
    {
      listeners: [`127.0.0.1:${port}`],
      pools: {
        web: {
          servers: servers.map((server) => server.address),
          probe: { path: '/healthz', interval: '1s', timeout: '800ms' },
          ...pool,
        },
      },
      workers: 2,
      log: { access: 'off' },
    },
    { driver },
  );
  await untilServersAre(balancer, 'up', 5);
  const load = new PacedLoad({ port, links: 8, pauseMs: 35 });
  test.after(() => load.stop());
  await until('traffic', 10_000, () => load.report.requests > 100);
  return { balancer, servers, load };
}

async function poolOf(balancer: Balancer): Promise<PoolStatus> {
  return (await balancer.status()).pools[0]!;
}

/** One of five servers becomes sick while its probe passes. */
export async function drillGray(
  test: Pick<TestContext, 'after'>,
  ailment: Ailment,
  options: DrillOptions,
): Promise<GrayReport> {
  const { balancer, servers, load } = await setUp(test, options);
  const sick = servers[0]!;
  const before = load.report.requests;
  const had = sick.requests;
  sick.ailment = ailment;
  const startMs = performance.now();
  let ejectedAfterMs = Number.POSITIVE_INFINITY;
  let outMost = 0;
  let why = '';
  while (performance.now() - startMs < options.durationMs) {
    const states = (await poolOf(balancer)).servers;
    const out = states.filter((server) => server.state !== 'up');
    outMost = Math.max(outMost, out.length);
    if (out.length > 0 && ejectedAfterMs === Number.POSITIVE_INFINITY) {
      ejectedAfterMs = performance.now() - startMs;
      why = `${out[0]!.address === sick.address ? 'the sick one' : 'ANOTHER ONE'}: ${out[0]!.why}`;
    }
    await pause(LOOK_MS);
  }
  const sickShare = (sick.requests - had) / (load.report.requests - before);
  return { load: await load.stop(), ejectedAfterMs, outMost, sickShare, why };
}

/** All five become sick: traffic goes on and status says so. */
export async function drillPanic(
  test: Pick<TestContext, 'after'>,
  ailment: Ailment,
  options: DrillOptions,
): Promise<{ readonly panic: PoolStatus; readonly served: readonly number[] }> {
  const { balancer, servers, load } = await setUp(test, options);
  servers[0]!.ailment = ailment;
  await until('the first one is ejected', 15_000, async () => {
    return (await poolOf(balancer)).servers.some((server) => server.state === 'ejected');
  });
  for (const server of servers) server.ailment = ailment;
  await until('panic', 15_000, async () => (await poolOf(balancer)).condition === 'panic');
  const before = servers.map((server) => server.requests);
  const had = load.report.requests;
  await until('traffic in panic', 10_000, () => load.report.requests > had + 200);
  const panic = await poolOf(balancer);
  const served = servers.map((server, index) => server.requests - before[index]!);
  await load.stop();
  return { panic, served };
}

/** One of five servers goes and comes back, again and again. */
export async function drillFlapping(
  test: Pick<TestContext, 'after'>,
  options: DrillOptions & { readonly phaseMs: number },
): Promise<{ readonly load: PacedReport; readonly changes: readonly string[] }> {
  const { balancer, servers, load } = await setUp(test, options);
  const flapping = servers[0]!;
  const seen = (await poolOf(balancer)).servers[0]!.history.length;
  const endMs = performance.now() + options.durationMs;
  while (performance.now() < endMs) {
    await flapping.close();
    await pause(options.phaseMs);
    await flapping.open();
    await pause(options.phaseMs);
  }
  const { history } = (await poolOf(balancer)).servers[0]!;
  const changes = history.slice(seen).map(({ state, why }) => `${state}: ${why}`);
  return { load: await load.stop(), changes };
}
