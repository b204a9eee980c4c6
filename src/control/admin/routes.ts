import type { AdminResponse } from '../../platform/admin-listener.ts';
import type {
  BalancerControl,
  OperationOutcome,
  OperationProblem,
  ServerOperation,
} from '../publish/operations.ts';
import { expositionFormat } from '../report/accept-metrics.ts';
import type { ExpositionFormat } from '../report/exposition.ts';
import type { ServerStatus } from '../report/status.ts';
import { errorAnswer, jsonAnswer, textAnswer } from './answer.ts';
import type { Checked } from './body.ts';
import {
  drainMsOf,
  readExplain,
  readFault,
  readPreview,
  readServerChange,
  readServerSpec,
  readTransaction,
} from './body.ts';
import { historyRoutes } from './history-routes.ts';
import type { AdminCall, AdminRoute } from './route.ts';
import {
  changeSchema,
  explainSchema,
  previewSchema,
  specSchema,
  transactionSchema,
} from './schemas.ts';
import { watchRoutes } from './watch-routes.ts';

async function upgrade({ control }: AdminCall): Promise<AdminResponse> {
  const outcome = await control.upgrade();
  if (outcome.ok) return jsonAnswer(200, { ok: true, pid: outcome.pid });
  const status = outcome.isTried ? 502 : 409;
  const code = outcome.isTried ? 'upgrade-rolled-back' : 'upgrade-refused';
  const message = `Cannot upgrade as ${outcome.problem}`;
  return errorAnswer(status, { code, message });
}

const problemStatus: Readonly<Record<OperationProblem['code'], number>> = {
  'unknown-pool': 404,
  'unknown-server': 404,
  'unknown-worker': 404,
  'server-exists': 409,
  'capacity-reached': 409,
  'invalid-server': 422,
  'invalid-weight': 422,
  'invalid-time': 422,
  'not-running': 503,
};

const serverPath = '/v1/pools/{pool}/servers/{address}';
const metricsTypes: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

async function metrics({ control, request }: AdminCall): Promise<AdminResponse> {
  const format = expositionFormat(request.accept);
  return textAnswer(200, await control.metricsText(format), metricsTypes[format]);
}

/** All endpoints of the admin API, in the order of the reference. */
export const adminRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process lives.',
    isChange: false,
    answers: { 200: 'It lives.' },
    handle: () => jsonAnswer(200, { status: 'alive' }),
  },
  {
    method: 'GET',
    path: '/readyz',
    summary: 'Whether it takes traffic.',
    isChange: false,
    answers: { 200: 'It takes traffic.', 503: 'It starts, drains or has lost its workers.' },
    handle: ({ control }) =>
      control.isReady()
        ? jsonAnswer(200, { status: 'ready' })
        : errorAnswer(503, { code: 'not-ready', message: 'no traffic is taken now' }),
  },
  {
    method: 'GET',
    path: '/metrics',
    summary:
      'Counters, gauges and histograms: Prometheus text, or OpenMetrics with exemplars where `Accept` asks for it.',
    isChange: false,
    answers: { 200: 'The metrics.' },
    contentType: 'text/plain',
    handle: metrics,
  },
  {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description.',
    isChange: false,
    answers: { 200: 'An OpenAPI 3.1 document.' },
    // Answered by the dispatcher, which knows the whole table; a request never arrives here.
    handle: () => errorAnswer(404, { code: 'unknown-path', message: 'no description' }),
  },
  {
    method: 'GET',
    path: '/v1/status',
    summary:
      'The whole state: workers, listeners, routes, pools, servers with their health and why.',
    isChange: false,
    answers: { 200: 'The state.' },
    handle: ({ control }) => jsonAnswer(200, control.status()),
  },
  {
    method: 'GET',
    path: '/v1/config',
    summary: 'The configuration in force, run-time changes included, without secrets.',
    isChange: false,
    answers: { 200: 'The configuration.' },
    handle: ({ control }) => jsonAnswer(200, control.effectiveConfig()),
  },
  {
    method: 'POST',
    path: '/v1/explain',
    summary:
      'Where a request would go and why: each route, the policy’s view of each server; changes nothing.',
    isChange: false,
    requestSchema: explainSchema,
    answers: { 200: 'The explanation.', 422: 'Not a request that can be explained.' },
    handle: ({ control, body }) =>
      withBody(readExplain(body), async (asked) => {
        const outcome = await control.explain(asked);
        if (outcome.ok) return jsonAnswer(200, outcome.explanation);
        return errorAnswer(422, { code: 'invalid-request', message: outcome.problem });
      }),
  },
  {
    method: 'POST',
    path: '/v1/reload',
    summary: 'Reads the configuration again; a refused one keeps the running one.',
    isChange: true,
    answers: { 200: 'It is in force.', 422: 'It was refused; `problems` says why.' },
    handle: reload,
  },
  {
    method: 'POST',
    path: '/v1/upgrade',
    summary:
      'Replaces the balancer by one of the program on disk, on the same sockets; answers when it takes traffic.',
    isChange: true,
    answers: {
      200: 'The new one takes traffic; the old one finishes what it had accepted.',
      409: 'It cannot be done now.',
      502: 'The new one did not get ready: the old one stays.',
    },
    handle: upgrade,
  },
  {
    method: 'POST',
    path: '/v1/preview',
    summary:
      'Says what a configuration would change and which links that touches; changes nothing.',
    isChange: true,
    requestSchema: previewSchema,
    answers: { 200: 'The changes.', 422: 'It would be refused; `problems` says why.' },
    handle: preview,
  },
  {
    method: 'POST',
    path: '/v1/reopen',
    summary: 'Opens the log files anew, after a rotation.',
    isChange: true,
    answers: { 200: 'They are open.' },
    handle: async ({ control }) => {
      await control.reopenLogs();
      return jsonAnswer(200, { ok: true });
    },
  },
  {
    method: 'POST',
    path: '/v1/stop',
    summary: 'Drains, then ends the process; a second call ends it at once.',
    isChange: true,
    answers: { 202: 'The drain has begun.' },
    handle: ({ control }) => {
      control.stop();
      return jsonAnswer(202, { ok: true });
    },
  },
  {
    method: 'GET',
    path: '/v1/pools/{pool}/health',
    summary:
      'How a pool and its servers are: why, since when, what comes next, and what led to it.',
    isChange: false,
    answers: { 200: 'The health.', 404: 'No such pool.' },
    handle: ({ control, parameters }) => {
      const health = control.health(parameters['pool'] ?? '');
      return health === null ? unknownPool(parameters['pool']) : jsonAnswer(200, health);
    },
  },
  {
    method: 'GET',
    path: '/v1/pools/{pool}/servers',
    summary: 'The servers of a pool.',
    isChange: false,
    answers: { 200: 'The servers.', 404: 'No such pool.' },
    handle: ({ control, parameters }) => {
      const pool = findPool(control, parameters['pool'] ?? '');
      return pool === null ? unknownPool(parameters['pool']) : jsonAnswer(200, pool);
    },
  },
  {
    method: 'POST',
    path: '/v1/pools/{pool}/servers',
    summary: 'Adds a server until the process ends or it is removed.',
    isChange: true,
    requestSchema: specSchema,
    answers: {
      201: 'Added.',
      404: 'No such pool.',
      409: 'It is there already, or no room.',
      422: 'Not a server.',
    },
    handle: addServer,
  },
  {
    method: 'GET',
    path: serverPath,
    summary: 'One server.',
    isChange: false,
    answers: { 200: 'The server.', 404: 'No such server.' },
    handle: (call) => oneServer(call, 200),
  },
  {
    method: 'PATCH',
    path: serverPath,
    summary: 'Drains a server, for a time with `for`, takes the drain back, or sets its weight.',
    isChange: true,
    requestSchema: changeSchema,
    answers: { 200: 'Done.', 404: 'No such server.', 422: 'Not a possible value.' },
    handle: changeServer,
  },
  {
    method: 'DELETE',
    path: serverPath,
    summary: 'Removes a server; what runs on it is finished.',
    isChange: true,
    answers: { 200: 'Removed.', 404: 'No such server.' },
    handle: ({ control, parameters }) =>
      outcomeAnswer(control.change([{ op: 'remove', ...serverOf(parameters) }])),
  },
  ...historyRoutes,
  {
    method: 'POST',
    path: '/v1/transactions',
    summary: 'Makes several changes of servers in one publication, all of them or none.',
    isChange: true,
    requestSchema: transactionSchema,
    answers: {
      200: 'Done.',
      404: 'No such pool or server; `index` says in which change.',
      409: 'It is there already, or no room.',
      422: 'Not a possible value.',
    },
    handle: ({ control, body }) =>
      withBody(readTransaction(body), (changes) => outcomeAnswer(control.change(changes))),
  },
  ...watchRoutes,
  {
    method: 'POST',
    path: '/v1/test/workers/{worker}/fail',
    summary: 'Makes a worker fail; for tests.',
    isChange: true,
    isTestOnly: true,
    requestSchema: {
      type: 'object',
      properties: { kind: { enum: ['invariant', 'stuck'] } },
      required: ['kind'],
    },
    answers: { 200: 'Planted.', 404: 'No such worker.' },
    handle: ({ control, parameters, body }) =>
      withBody(readFault(body), ({ kind }) =>
        outcomeAnswer(control.injectFault(workerIndex(parameters), kind)),
      ),
  },
];

function preview({ control, body }: AdminCall): AdminResponse | Promise<AdminResponse> {
  return withBody(readPreview(body), async (candidate) => {
    const outcome = await control.preview(candidate);
    return outcome.ok
      ? jsonAnswer(200, outcome.impact)
      : refusedAnswer(outcome.problems, 'preview');
  });
}

async function reload({ control }: AdminCall): Promise<AdminResponse> {
  const outcome = await control.reload();
  return outcome.ok ? jsonAnswer(200, outcome) : refusedAnswer(outcome.problems, 'reload');
}

function refusedAnswer(problems: readonly string[], does: 'reload' | 'preview'): AdminResponse {
  const message = `Cannot ${does} as a valid configuration is required: the running one stays`;
  return errorAnswer(422, { code: 'configuration-refused', message, problems });
}

function addServer(call: AdminCall): AdminResponse | Promise<AdminResponse> {
  const pool = call.parameters['pool'] ?? '';
  return withBody(readServerSpec(call.body), (spec) => {
    const outcome = call.control.change([{ op: 'add', pool, server: spec }]);
    if (!outcome.ok) return outcomeAnswer(outcome);
    const location = `/v1/pools/${encodeURIComponent(pool)}/servers/${encodeURIComponent(spec.address)}`;
    return jsonAnswer(201, outcome, { location });
  });
}

function changeServer(call: AdminCall): AdminResponse | Promise<AdminResponse> {
  const server = serverOf(call.parameters);
  return withBody(readServerChange(call.body), ({ weight, draining, for: time }) => {
    const changes: ServerOperation[] = [];
    if (weight !== undefined) changes.push({ op: 'set', ...server, weight });
    if (draining === true) changes.push({ op: 'drain', ...server, forMs: drainMsOf(time) });
    if (draining === false) changes.push({ op: 'ready', ...server });
    return outcomeAnswer(call.control.change(changes));
  });
}

function serverOf(parameters: Readonly<Record<string, string>>): { pool: string; address: string } {
  return { pool: parameters['pool'] ?? '', address: parameters['address'] ?? '' };
}

function oneServer({ control, parameters }: AdminCall, status: number): AdminResponse {
  const pool = findPool(control, parameters['pool'] ?? '');
  if (pool === null) return unknownPool(parameters['pool']);
  const server = pool.find((candidate) => candidate.address === parameters['address']);
  if (server !== undefined) return jsonAnswer(status, server);
  const found = parameters['address'] ?? '';
  return errorAnswer(404, {
    code: 'unknown-server',
    message: `the pool has no server ${found}`,
    found,
  });
}

function findPool(control: BalancerControl, name: string): readonly ServerStatus[] | null {
  return control.status().pools.find((pool) => pool.name === name)?.servers ?? null;
}

function unknownPool(name: string | undefined): AdminResponse {
  const found = name ?? '';
  return errorAnswer(404, { code: 'unknown-pool', message: `there is no pool ${found}`, found });
}

function outcomeAnswer(outcome: OperationOutcome): AdminResponse {
  if (outcome.ok) return jsonAnswer(200, outcome);
  const { code, message, path, requirement, found, index } = outcome.problem;
  const error = {
    code,
    message,
    requirement,
    found,
    ...(path === null ? {} : { path }),
    ...(index === undefined ? {} : { index }),
  };
  return errorAnswer(problemStatus[code], error);
}

function withBody<Value>(
  checked: Checked<Value>,
  use: (value: Value) => AdminResponse | Promise<AdminResponse>,
): AdminResponse | Promise<AdminResponse> {
  return checked.ok ? use(checked.value) : errorAnswer(400, checked.error);
}

function workerIndex(parameters: Readonly<Record<string, string>>): number {
  const text = parameters['worker'] ?? '';
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : -1;
}
