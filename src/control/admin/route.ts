import type { AdminRequest, AdminResponse } from '../../platform/admin-listener.ts';
import type { BalancerControl } from '../publish/operations.ts';

/** What a route's handler is given. */
export interface AdminCall {
  readonly control: BalancerControl;
  /** Decoded values of the path's `{names}`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What stands behind `?`. */
  readonly query: URLSearchParams;
  readonly request: AdminRequest;
  readonly body: string;
  /** Ms of the epoch. */
  readonly nowMs: number;
}

/** One row of the table that drives dispatch, OpenAPI and the reference. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `{name}` for a segment that is a parameter. */
  readonly path: string;
  readonly summary: string;
  /** Needs the token over TCP and is written to the audit log. */
  readonly isChange: boolean;
  /** Tells nothing of this balancer: needs no token from other machines either. */
  readonly isPublic?: true;
  /** Only there when test faults are armed. */
  readonly isTestOnly?: true;
  /** JSON Schema of the request's body. */
  readonly requestSchema?: Readonly<Record<string, unknown>>;
  /** Statuses that the handler itself gives, with what they mean. */
  readonly answers: Readonly<Record<number, string>>;
  readonly contentType?: string;
  handle(call: AdminCall): AdminResponse | Promise<AdminResponse>;
}
