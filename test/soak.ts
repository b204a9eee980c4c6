// The mixed load for minutes: npm run soak, or node test/soak.ts --minutes 10 --driver uring.
// Memory, descriptors and buffers must be level between the first third of the run and the last.
import { parseArgs } from 'node:util';
import { runMixed } from './e2e/mixed.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    driver: { type: 'string', default: 'uring' },
  },
});
const driver = values.driver === 'portable' ? 'portable' : 'uring';
const cleanups: (() => unknown)[] = [];

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0;
}

try {
  const durationMs = Number(values.minutes) * 60_000;
  const after = (run: unknown): void => void cleanups.push(run as () => unknown);
  const report = await runMixed({ after }, { driver, durationMs });
  const third = Math.max(1, Math.floor(report.rounds / 3));
  const first = median(report.residentBytes.slice(0, third));
  const last = median(report.residentBytes.slice(-third));
  const firstOpen = median(report.descriptors.slice(0, third));
  const lastOpen = median(report.descriptors.slice(-third));
  console.log(`${report.requests} requests, ${report.rounds} changes, driver ${driver}`);
  console.log(`resident: ${(first / 1_048_576).toFixed(1)} → ${(last / 1_048_576).toFixed(1)} MiB`);
  console.log(`descriptors: ${firstOpen} → ${lastOpen}`);
  // The heap of a JavaScript process breathes: a tenth and 16 MiB are no leak, a steady climb is.
  const isLevel = last < first * 1.1 + 16 * 1_048_576 && lastOpen <= firstOpen + 30;
  if (!isLevel) console.error('not level');
  process.exitCode = isLevel ? 0 : 1;
} finally {
  for (const run of cleanups.reverse()) await run();
}
