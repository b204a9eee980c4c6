import { performance } from 'node:perf_hooks';
import type { Route } from '../model/snapshot.ts';
import { compileRoutes } from './routes.ts';

const encoder = new TextEncoder();
const repeats = Number(process.argv[2] ?? 20_000);

const routeOf = (host: string, path: string, order: number): Route => ({
  slot: order,
  name: `r${order}`,
  listeners: [],
  match: { hosts: [host], paths: [path], methods: ['GET'], conditions: [] },
  pool: 'web',
  respond: null,
  actions: null,
  allowEncodedSeparators: false,
  retry: null,
});

/** The baseline: every route in order, on strings. */
function naive(routes: readonly Route[], host: string, path: string): number {
  return routes.findIndex(
    ({ match }) => match.hosts.includes(host) && path.startsWith(match.paths[0]!.slice(0, -1)),
  );
}

/** Nanoseconds per call of `run`, the best of five. */
function measure(run: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let round = 0; round < 5; round++) {
    const startMs = performance.now();
    for (let repeat = 0; repeat < repeats; repeat++) sum += run();
    best = Math.min(best, ((performance.now() - startMs) / repeats) * 1e6);
  }
  // Read, so that the calls cannot be left out.
  return sum < 0 ? 0 : best;
}

for (const count of [1, 40, 1000]) {
  const routes = Array.from({ length: count }, (_, at) =>
    routeOf(`h${at % 10}.example.com`, `/service-${at}/*`, at),
  );
  const matcher = compileRoutes(routes, ['web']);
  const host = `h${(count - 1) % 10}.example.com`;
  const path = `/service-${count - 1}/users/17`;
  const hostBytes = encoder.encode(host);
  const pathBytes = encoder.encode(path);
  const compiledNs = measure(() =>
    matcher.match(
      0,
      hostBytes,
      0,
      hostBytes.length,
      pathBytes,
      0,
      pathBytes.length,
      1,
      hostBytes,
      0,
      0,
      null,
    ),
  );
  const naiveNs = measure(() => naive(routes, host, path));
  console.log(
    `${count} routes: compiled ${compiledNs.toFixed(0)} ns, naive ${naiveNs.toFixed(0)} ns`,
  );
}
