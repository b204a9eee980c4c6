import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { healthText } from '../../src/cli/health-text.ts';
import type { Explanation } from '../../src/control/explain/explanation.ts';
import type { PoolHealthReport } from '../../src/control/report/health-report.ts';
import { type Balancer, runCommand, startBalancer } from './harness.ts';
import { PacedLoad } from './paced-load.ts';
import { freePort } from './ports.ts';
import { type SickServer, startSickServers } from './sick-server.ts';
import { until } from './waiting.ts';

const DEADLINE_MS = 45_000;

/** Why a server or pool is out, as a person reads it: the lines that must all be there. */
interface Cause {
  readonly name: string;
  readonly pool: Readonly<Record<string, unknown>>;
  readonly servers: number;
  /** Makes the first server sick, or all. */
  readonly ail: (servers: readonly SickServer[], balancer: Balancer) => unknown;
  readonly says: readonly RegExp[];
}

const often = { probe: { path: '/healthz', interval: '200ms', timeout: '2s' } };
const outlier = { interval: '250ms', ejectFor: '2m' };

const causes: readonly Cause[] = [
  {
    name: 'probe',
    pool: { ...often, outlier: false },
    servers: 2,
    ail: ([first]) => first!.close(),
    says: [
      /^\S+ {2}OUT: down for \d+ s$/m,
      /^ {2}why {7}its probe http \/healthz fails: connect refused, \d+ times in a row$/m,
      /^ {2}next {6}back in .* if http \/healthz passes 2 times in a row; the next try is in /m,
      /^ {2}probe {5}http \/healthz: down, \d+ failed in a row/m,
    ],
  },
  {
    name: 'errors',
    pool: { outlier: { ...outlier, consecutive: 3 }, retry: 0 },
    servers: 3,
    ail: ([first]) => Object.assign(first!, { ailment: { failing: 1, status: 503 } }),
    says: [
      /^\S+ {2}OUT: ejected for \d+ s$/m,
      /why {7}3 failures in a row, the last one upstream-unavailable \(.*\); out for 120 s$/m,
      /next {6}back in .*, then on trial: a few faults suffice/m,
    ],
  },
  {
    name: 'latency',
    // Enough attempts within ten looks, also on a slow machine.
    pool: { outlier: { ...outlier, interval: '1s', consecutive: 0 } },
    servers: 4,
    ail: ([first]) => Object.assign(first!, { ailment: { delayMs: 200 } }),
    says: [
      /^\S+ {2}OUT: ejected for /m,
      /why {7}half of its answers take over \d+ ms, .* of its peers; out for 120 s$/m,
    ],
  },
  {
    name: 'refusing',
    pool: { outlier },
    servers: 2,
    ail: ([first]) => first!.close(),
    says: [
      /^\S+ {2}OUT: refusing for /m,
      /why {7}\d+ failures in a row, the last one connect-refused \(the server refused the connection\)/m,
      /next {6}back as soon as it takes a connection: one is tried every second$/m,
    ],
  },
  {
    name: 'drained',
    pool: {},
    servers: 2,
    ail: async ([first], balancer) => {
      const name = `drained/${first!.address}`;
      const done = await runCommand([
        'drain',
        name,
        '--for',
        '5m',
        '--socket',
        balancer.socketPath,
      ]);
      assert.equal(done.code, 0, done.stderr);
    },
    says: [
      /^\S+ {2}OUT: draining for /m,
      /why {7}drained by an operator$/m,
      /next {6}.*; back with: evenkeel ready drained\/127\.0\.0\.1:\d+$/m,
    ],
  },
  {
    name: 'broken',
    pool: {
      breaker: { errors: '50%', minimum: 5, window: '2s', open: '2m', halfOpen: 3 },
      outlier: false,
      retry: 0,
    },
    servers: 1,
    ail: ([only]) => Object.assign(only!, { ailment: { failing: 1, status: 503 } }),
    says: [
      /^pool broken is left alone \(circuit open\): requests are refused: \d+ of the last \d+ attempts failed/m,
      /^ {2}next {6}3 requests are let through in .* to try it; until then all are answered 503/m,
    ],
  },
];

describe('health --why', () => {
  it('says of each cause since when, by what, and what comes next', async (test) => {
    const ports = new Map<string, number>();
    const servers = new Map<string, readonly SickServer[]>();
    for (const { name, servers: count } of causes) {
      ports.set(name, await freePort());
      servers.set(name, await startSickServers(test, count));
    }
    const balancer = await startBalancer(test, {
      listeners: causes.map(({ name }) => ({ name, address: `127.0.0.1:${ports.get(name)}` })),
      routes: causes.map(({ name }) => ({ listeners: [name], pool: name })),
      pools: Object.fromEntries(
        causes.map(({ name, pool }) => [
          name,
          {
            policy: 'round-robin',
            servers: servers.get(name)!.map(({ address }) => address),
            ...pool,
          },
        ]),
      ),
      log: { access: 'off' },
    });
    const loads = causes.map(
      ({ name }) => new PacedLoad({ port: ports.get(name)!, links: 2, pauseMs: 20 }),
    );
    try {
      for (const { name, ail } of causes) await ail(servers.get(name)!, balancer);
      for (const { name, says } of causes) await untilSaid(balancer, name, says);
      const { body } = await balancer.admin('POST', '/v1/explain', {
        ...{ method: 'GET', url: '/', listener: 'broken' },
      });
      const { outcome, pools } = JSON.parse(body) as Explanation;
      assert.match(outcome, /the pool broken, which cannot take it now \(503 circuit-open: /);
      assert.match(
        pools[0]?.breaker ?? '',
        /^OPEN for .*, as .* attempts failed; .* let through in /,
      );
      const words = ['health', 'drained', '--why', '--socket', balancer.socketPath];
      assert.match((await runCommand(words)).stdout, /why {7}drained by an operator/);
    } finally {
      for (const load of loads) await load.stop();
    }
  });

  it('tells maintenance, as an agent orders it, and its reason', async (test) => {
    const agentPort = await startAgent(test, 'maint #new kernel');
    const [server] = await startSickServers(test, 1);
    const probes = [{ type: 'agent', port: agentPort, interval: '200ms' }];
    const balancer = await startBalancer(test, {
      listeners: [`127.0.0.1:${await freePort()}`],
      pools: { web: { servers: [server!.address], probes } },
    });
    await untilSaid(balancer, 'web', [
      /^\S+ {2}OUT: down for /m,
      /why {7}in maintenance: its agent says up maint: new kernel$/m,
      /next {6}back when its agent says ready: it is asked again in /m,
    ]);
  });
});

/** Waits until the text of the command says all of it. */
async function untilSaid(balancer: Balancer, pool: string, says: readonly RegExp[]): Promise<void> {
  let text = '';
  const look = async (): Promise<boolean> => {
    const { body } = await balancer.admin('GET', `/v1/pools/${pool}/health`);
    text = healthText(JSON.parse(body) as PoolHealthReport, true);
    return says.every((one) => one.test(text));
  };
  await until(`health ${pool} says why`, DEADLINE_MS, look).catch((error) => {
    const missing = says.filter((one) => !one.test(text)).map(String);
    throw new Error(`${String(error)}\nmissing ${missing.join(', ')} in\n${text}`);
  });
}

/** Says one line to everybody who connects. */
async function startAgent(test: TestContext, line: string): Promise<number> {
  const port = await freePort();
  const agent = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${line}\n`);
  });
  await new Promise<void>((resolve) => agent.listen(port, '127.0.0.1', resolve));
  test.after(() => agent.close());
  return port;
}
