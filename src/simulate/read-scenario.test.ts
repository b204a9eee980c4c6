import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configFromPlain } from '../control/config/load.ts';
import { formatProblem } from '../control/config/problem.ts';
import { configOfPool, readScenario } from './read-scenario.ts';
import { runScenario } from './run.ts';
import { scenarioOf } from './test-scenario.ts';

function problemsOf(text: string): string[] {
  const read = readScenario('s.yaml', text, null);
  return read.ok ? [] : read.problems.map(formatProblem);
}

const head = 'says: x\nduration: 5s\nservers: [{}]\nclients: { rate: 10 }\n';

test('readScenario() names place, requirement and what was found', () => {
  const table: readonly (readonly [text: string, line: RegExp])[] = [
    ['', /^s\.yaml:1:1: file: must be a map with duration/],
    ['says: x\n', /duration: must be given/],
    [
      `${head}servers2: 1\n`,
      /^s\.yaml:5:1: servers2: must be a key of a scenario .*did you mean 'servers'/,
    ],
    [head.replace('5s', '5 s'), /^s\.yaml:2:11: duration: must be a duration .* found '5 s'/],
    [`${head}pool: { polic: p2c }\n`, /^s\.yaml:5:9: pool\.polic: .*did you mean 'policy'/],
    [`${head}pool: { policy: best }\n`, /^s\.yaml:5:17: pool\.policy: must be one of/],
    [
      `${head}events: [{ at: 1s }]\n`,
      /^s\.yaml:5:10: events\[0\]: must have one of down.*found none/,
    ],
    [`${head}events: [{ at: 1s, slow: 2, stall: 1s }]\n`, /events\[0\]: .*found slow and stall/],
    [
      `${head}events: [{ at: 1s, servers: 2-3, slow: 2 }]\n`,
      /must concern some of the 1 servers, found none for '2-3'/,
    ],
    [head.replace('[{}]', '[{ count: 0 }]'), /servers\[0\]\.count: must be a whole number/],
  ];
  for (const [text, line] of table) assert.match(problemsOf(text).join('\n'), line, text);
});

test('readScenario() finds servers by number, range, share and zone', () => {
  const { events } = scenarioOf(`
says: x
duration: 5s
servers: [{ count: 4, zone: a }, { count: 6, zone: b }]
clients: { users: 10 }
events:
  - { at: 1s, servers: 3, slow: 2 }
  - { at: 1s, servers: 4-6, slow: 2 }
  - { at: 1s, servers: 30%, slow: 2 }
  - { at: 1s, zone: b, servers: [1, 9-99], slow: 2 }
  - { at: 1s, zone: a, slow: 2 }
`);
  assert.deepEqual(
    events.map(({ servers }) => servers),
    [[2], [3, 4, 5], [0, 1, 2], [8, 9], [0, 1, 2, 3]],
  );
});

test('readScenario() takes the pool of a configuration in place of its own', () => {
  const plain = {
    listeners: [':80'],
    pools: {
      api: {
        policy: 'first',
        servers: [{ address: 'a.test:1', weight: 3 }, 'b.test:2', 'c.test:3'],
      },
    },
  };
  const loaded = configFromPlain('e.yaml', plain, () => ({ line: 1, column: 1 }));
  assert.ok(loaded.ok);
  const pool = loaded.config.pools[0]!;
  const text = `says: x\nduration: 5s\nservers: [{ service: 50ms }, { service: 5ms }]\nclients: { rate: 20 }\n`;
  const read = readScenario('s.yaml', text, { config: configOfPool(loaded.config, pool), pool });
  assert.ok(read.ok);
  const { servers } = read.scenario;
  assert.deepEqual(
    servers.map(({ service }) => service.meanUs),
    [50_000, 5_000, 5_000],
  );
  const result = runScenario(read.scenario, null, 1);
  assert.equal(result.policy, 'first');
  assert.deepEqual(
    result.servers.map(({ address, share }) => [address, share]),
    [
      ['a.test:1', 1],
      ['b.test:2', 0],
      ['c.test:3', 0],
    ],
  );
});

test('users without a rate wait for their answers: no more than they are in flight', () => {
  const scenario = scenarioOf(`
says: x
duration: 10s
servers: [{ concurrency: 1, service: { mean: 10ms, distribution: constant } }]
clients: { users: 20, think: { mean: 1ms, distribution: constant } }
`);
  const result = runScenario(scenario, null, 1);
  // One server of 100 requests/s: 9.5 s of them; each waits for the 19 others.
  assert.ok(Math.abs(result.requests - 955) < 30, `${result.requests}`);
  assert.ok(Math.abs(result.p50Us - 200_000) < 10_000, `${result.p50Us}`);
  assert.ok(result.queueLongest <= 19);
});

for (const key of ['header:x-user', 'cookie:id', 'query:q', 'path', 'ip']) {
  test(`clients send what hash by ${key} looks for: a user stays at one server`, () => {
    const scenario = scenarioOf(`
says: x
duration: 20s
pool: { policy: hash, key: '${key}' }
servers: [{ count: 4, service: 1ms }]
clients: { rate: 40, users: 3 }
`);
    const { servers } = runScenario(scenario, null, 1);
    // A third of the requests for each of three users; hardly two at a time, so few have to go elsewhere.
    const thirds = servers.map(({ share }) => Math.round(share * 3));
    const sum = thirds.reduce((all, third) => all + third, 0);
    assert.equal(sum, 3, `${thirds}`);
    for (const [at, { share }] of servers.entries()) {
      assert.ok(Math.abs(share - thirds[at]! / 3) < 0.06, `${share}`);
    }
  });
}
