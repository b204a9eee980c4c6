// The keep-alive race for minutes: node test/keep-alive.ts --minutes 3 --driver uring.
// Node servers that close idle links after 1 s, 5 s and 65 s, with and without saying so; no request may fail.
import { parseArgs } from 'node:util';
import { trickle } from './e2e/trickle.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    driver: { type: 'string', default: 'uring' },
  },
});
const cleanups: (() => unknown)[] = [];
try {
  const servers = [1_000, 5_000, 65_000].flatMap((keepAliveMs) => [
    { keepAliveMs, isSaid: true },
    { keepAliveMs, isSaid: false },
  ]);
  const { byStatus, balancer } = await trickle(
    { after: (run: unknown) => void cleanups.push(run as () => unknown) },
    {
      servers,
      driver: values.driver === 'portable' ? 'portable' : 'uring',
      durationMs: Number(values.minutes) * 60_000,
      clients: 40,
    },
  );
  console.log(JSON.stringify(byStatus));
  for (const line of balancer.output.split('\n')) {
    if (line.includes('idle links after')) console.log(JSON.parse(line).message);
  }
  const isGood = Object.keys(byStatus).every((key) => key.endsWith(' 200'));
  process.exitCode = isGood ? 0 : 1;
} finally {
  for (const run of cleanups.reverse()) await run();
}
