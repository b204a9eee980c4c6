// The health drills at full length with default settings: npm run drills, or
// node test/health-drills.ts --seconds 180 --driver uring --only errors.
// Gray failure: one of five servers answers 30 % with 500, then 10 times slower; flapping: 2 s up, 2 s down.
import { parseArgs } from 'node:util';
import { drillFlapping, drillGray } from './e2e/health-drill.ts';
import { wellDelayMs } from './e2e/sick-server.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '180' },
    driver: { type: 'string', default: 'uring' },
    only: { type: 'string' },
  },
});
const driver = values.driver === 'portable' ? 'portable' : 'uring';
const durationMs = Number(values.seconds) * 1000;
const isWanted = (name: string): boolean => values.only === undefined || values.only === name;

/** Runs one drill and takes down what it started. */
async function drill(
  name: string,
  run: (test: {
    after(cleanup: unknown): void;
  }) => Promise<readonly [isWell: boolean, says: string]>,
): Promise<void> {
  if (!isWanted(name)) return;
  const cleanups: (() => unknown)[] = [];
  try {
    const [isWell, says] = await run({
      after: (cleanup) => void cleanups.push(cleanup as () => unknown),
    });
    console.log(`${isWell ? 'passed' : 'FAILED'}  ${name}: ${says}`);
    if (!isWell) process.exitCode = 1;
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

for (const [name, ailment] of [
  ['errors', { failing: 0.3 }],
  ['slow', { delayMs: 10 * wellDelayMs }],
] as const) {
  await drill(name, async (test) => {
    const report = await drillGray(test, ailment, { driver, durationMs });
    const { requests, failures } = report.load;
    const isWell =
      report.ejectedAfterMs < 10_000 && report.outMost === 1 && failures < requests * 0.01;
    const percent = ((failures / requests) * 100).toFixed(2);
    const says =
      `ejected after ${(report.ejectedAfterMs / 1000).toFixed(1)} s (${report.why}); ` +
      `${failures} of ${requests} requests failed (${percent} %); at most ${report.outMost} out; ` +
      `the sick one had ${(report.sickShare * 100).toFixed(1)} % of the requests`;
    return [isWell, says];
  });
}

await drill('flapping', async (test) => {
  const phaseMs = 2_000;
  const { load, changes } = await drillFlapping(test, {
    driver,
    phaseMs,
    durationMs: Math.min(durationMs, 120_000),
  });
  const says = `${load.failures} of ${load.requests} GETs failed, ${changes.length} changes: ${changes.join(' | ')}`;
  return [load.failures === 0 && changes.length <= 6, says];
});
