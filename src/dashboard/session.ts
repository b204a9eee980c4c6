/** The bearer token: in memory only, gone with the page; never in the address or in storage. */
let token = '';

/** Whether a token was given. */
export function hasToken(): boolean {
  return token !== '';
}

/** Keeps the token for this page; '' forgets it. */
export function setToken(text: string): void {
  token = text.trim();
}

/** The header that changes need. */
export function authorization(): Record<string, string> {
  return token === '' ? {} : { authorization: `Bearer ${token}` };
}

/** What came of a question to the admin API. */
export type Answer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly isTokenWanted: boolean; readonly why: string };

/** Asks the admin API. Errors: none; what went wrong is said in words. */
export async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  try {
    const response = await fetch(path, {
      method,
      headers: { ...authorization(), 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (response.ok) return { ok: true, body: answer };
    const isTokenWanted = response.status === 401;
    const message = (answer as { error?: { message?: string } }).error?.message;
    return { ok: false, isTokenWanted, why: message ?? `the answer was ${response.status}` };
  } catch (error) {
    return {
      ok: false,
      isTokenWanted: false,
      why: `the balancer did not answer: ${String(error)}`,
    };
  }
}

/** A server's place in the admin API. */
export function serverPath(pool: string, address: string): string {
  return `/v1/pools/${encodeURIComponent(pool)}/servers/${encodeURIComponent(address)}`;
}
