import type { AdminRequest, AdminResponse } from '../../platform/admin-listener.ts';
import { isoTime } from '../../platform/iso-time.ts';
import type { BalancerControl } from '../publish/operations.ts';
import { errorAnswer, jsonAnswer } from './answer.ts';
import type { GuardOptions } from './guard.ts';
import { refuseRequest } from './guard.ts';
import { openApiDocument } from './openapi.ts';
import type { AdminRoute } from './route.ts';
import { adminRoutes } from './routes.ts';

/** What the admin API needs. */
export interface AdminApiOptions {
  readonly control: BalancerControl;
  readonly guard: GuardOptions;
  /** Of the program, for the OpenAPI document. */
  readonly version: string;
  /** Test-only routes are there. */
  readonly areFaultsArmed: boolean;
  /** Epoch ms, for the audit log. */
  readonly wallMs: () => number;
  /** Takes one line of the audit log, LF included. */
  readonly audit: (line: string) => void;
}

interface CompiledRoute {
  readonly route: AdminRoute;
  readonly segments: readonly string[];
}

/**
 * The admin API without its sockets: answers one request. Errors: as JSON `{ error: … }`; rejects only
 * for a bug of ours. Cost: that of the handler, status and metrics being the dearest.
 */
export class AdminApi {
  readonly #options: AdminApiOptions;
  readonly #routes: readonly CompiledRoute[];

  constructor(options: AdminApiOptions) {
    this.#options = options;
    this.#routes = adminRoutes
      .filter((route) => options.areFaultsArmed || route.isTestOnly !== true)
      .map((route) => ({ route, segments: route.path.split('/') }));
  }

  async answer(request: AdminRequest): Promise<AdminResponse> {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const segments = decodeSegments(request.target);
    const matching = segments === null ? [] : this.#routes.filter((row) => isMatch(row, segments));
    const row = matching.find((candidate) => candidate.route.method === method);
    // Unknown paths pass the guard too: nobody may learn from outside what exists.
    const isChange = row?.route.isChange ?? method !== 'GET';
    const needs = isChange ? 'change' : row?.route.isPublic === true ? 'page' : 'read';
    const refusal = refuseRequest(request, needs, this.#options.guard);
    const response = refusal ?? (await this.#dispatch(request, row, matching, segments ?? []));
    if (isChange) this.#audit(request, response);
    return response;
  }

  #dispatch(
    request: AdminRequest,
    row: CompiledRoute | undefined,
    matching: readonly CompiledRoute[],
    segments: readonly string[],
  ): AdminResponse | Promise<AdminResponse> {
    if (row === undefined)
      return matching.length > 0 ? wrongMethod(matching) : unknownPath(request);
    if (row.route.path === '/openapi.json') {
      const routes = this.#routes.map(({ route }) => route);
      return jsonAnswer(200, openApiDocument(routes, this.#options.version));
    }
    if (row.route.isChange && this.#options.control.isUpgrading && !mayMeanwhile(row.route)) {
      const message = 'an upgrade is running: the new balancer would not have this change';
      return errorAnswer(409, { code: 'upgrading', message });
    }
    const parameters: Record<string, string> = {};
    row.segments.forEach((segment, index) => {
      if (segment.startsWith('{')) parameters[segment.slice(1, -1)] = segments[index] ?? '';
    });
    const { control } = this.#options;
    const query = new URLSearchParams(/\?(.*)$/s.exec(request.target)?.[1] ?? '');
    const nowMs = this.#options.wallMs();
    return row.route.handle({ control, parameters, query, request, body: request.body, nowMs });
  }

  #audit(request: AdminRequest, response: AdminResponse): void {
    const line = {
      time: isoTime(this.#options.wallMs()),
      who: who(request, response),
      method: request.method,
      path: request.target.slice(0, 1_024),
      body: request.body.slice(0, 4_096),
      status: response.status,
      outcome: response.status < 400 ? 'done' : errorCodeOf(response),
    };
    this.#options.audit(`${JSON.stringify(line)}\n`);
  }
}

/** An end is never refused, and an upgrade is told by itself that another one runs. */
function mayMeanwhile({ path }: AdminRoute): boolean {
  return path === '/v1/stop' || path === '/v1/upgrade' || path === '/v1/reopen';
}

/** Segments of the target's path, decoded one by one, or null when an escape is not valid. */
function decodeSegments(target: string): readonly string[] | null {
  const path = target.split('?', 1)[0] ?? '';
  try {
    return path.split('/').map((segment) => decodeURIComponent(segment));
  } catch {
    // An invalid escape names nothing that exists: the caller answers 404.
    return null;
  }
}

function isMatch({ segments }: CompiledRoute, given: readonly string[]): boolean {
  if (segments.length !== given.length) return false;
  return segments.every((segment, index) =>
    segment.startsWith('{') ? given[index] !== '' : segment === given[index],
  );
}

function wrongMethod(matching: readonly CompiledRoute[]): AdminResponse {
  const methods = matching.map(({ route }) => route.method);
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].sort().join(', ');
  const error = {
    code: 'method-not-allowed',
    message: `only ${allow} is possible here`,
    requirement: allow,
  };
  return errorAnswer(405, error, { allow });
}

function unknownPath(request: AdminRequest): AdminResponse {
  const found = request.target.slice(0, 200);
  return errorAnswer(404, {
    code: 'unknown-path',
    message: 'there is nothing here; see /openapi.json',
    found,
  });
}

function who(request: AdminRequest, response: AdminResponse): string {
  if (request.peer === null) return 'unix socket';
  const how = response.status === 401 || response.status === 403 ? 'refused' : 'token';
  return `${how} ${request.peer.remoteAddress}`;
}

function errorCodeOf(response: AdminResponse): string {
  return /"code": "([a-z-]+)"/.exec(response.body)?.[1] ?? 'failed';
}
