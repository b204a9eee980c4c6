import type { AdminResponse } from '../../platform/admin-listener.ts';

/** What every error of the admin API says. */
export interface AdminError {
  /** A readable word: `unknown-server`, `token-required`. */
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly requirement?: string;
  readonly found?: string;
  /** Lines of a refused configuration. */
  readonly problems?: readonly string[];
}

/** A JSON answer, indented so that curl shows it well. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): AdminResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: `${JSON.stringify(value, null, 2)}\n`,
  };
}

/** An answer of plain text. */
export function textAnswer(status: number, body: string, contentType: string): AdminResponse {
  return { status, headers: { 'content-type': contentType }, body };
}

/** `{ "error": … }` with its status. */
export function errorAnswer(
  status: number,
  error: AdminError,
  headers: Readonly<Record<string, string>> = {},
): AdminResponse {
  return jsonAnswer(status, { error }, headers);
}
