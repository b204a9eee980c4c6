import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { AdminRequest, AdminResponse } from '../../platform/admin-listener.ts';
import { errorAnswer } from './answer.ts';

/** What the guard knows of our own address. */
export interface GuardOptions {
  /** Host of `admin.address`; null = Unix socket only. */
  readonly host: string | null;
  /** Bearer token for changes, and for reads from other machines. */
  readonly token: string;
}

/**
 * Decides whether a request may be answered at all; null = yes. On the Unix socket the file's mode has
 * decided already. Over TCP no web page may reach us: a page of another origin sends `Origin`, a page
 * whose name was rebound to our address sends its own name in `Host`. Our own page's files tell nothing of
 * this balancer, so they need no token: a browser cannot send one before it has the page.
 */
export function refuseRequest(
  request: AdminRequest,
  needs: 'page' | 'read' | 'change',
  options: GuardOptions,
): AdminResponse | null {
  if (request.origin !== null && !isOwnOrigin(request, options)) {
    return errorAnswer(403, {
      code: 'origin-refused',
      message: 'Cannot answer a request from a web page as only our own origin is allowed',
      found: request.origin.slice(0, 200),
    });
  }
  if (request.peer === null) return null;
  if (!isOwnHost(request, options)) {
    return errorAnswer(403, {
      code: 'host-refused',
      message: 'Cannot answer this host as only loopback and the admin address are allowed',
      found: (request.host ?? 'no Host field').slice(0, 200),
    });
  }
  if (needs === 'page') return null;
  const isChange = needs === 'change';
  if (!isChange && isLoopback(request.peer.remoteAddress)) return null;
  if (isToken(request.authorization, options.token)) return null;
  return errorAnswer(
    401,
    {
      code: 'token-required',
      message: isChange
        ? 'Cannot change anything over TCP as the bearer token is required'
        : 'Cannot read from another machine as the bearer token is required',
      requirement: 'Authorization: Bearer TOKEN, see the .token file beside the admin socket',
    },
    { 'www-authenticate': 'Bearer realm="evenkeel"' },
  );
}

/** Compares hashes, so that neither length nor content of the token shows in the time it takes. */
function isToken(authorization: string | null, token: string): boolean {
  const given = /^[Bb]earer +([!-~]{1,512})$/.exec(authorization ?? '')?.[1];
  if (given === undefined || token === '') return false;
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isOwnOrigin(request: AdminRequest, options: GuardOptions): boolean {
  return (
    request.peer !== null &&
    request.host !== null &&
    request.origin === `http://${request.host}` &&
    isOwnHost(request, options)
  );
}

function isOwnHost(request: AdminRequest, options: GuardOptions): boolean {
  const name = hostName(request.host);
  if (name === null) return false;
  if (name === 'localhost' || (isIP(name) !== 0 && isLoopback(name))) return true;
  if (options.host !== null && name === options.host.toLowerCase()) return true;
  // Listening on all addresses: the very address that was dialled, as a number, cannot be a rebound name.
  return isIP(name) !== 0 && name === unmapped(request.peer?.localAddress ?? '');
}

/** The name or number of a Host field without brackets and port, or null when it is not one. */
function hostName(host: string | null): string | null {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/@\s]+))(?::[0-9]{1,5})?$/.exec(host ?? '');
  return (parts?.[1] ?? parts?.[2])?.toLowerCase() ?? null;
}

function isLoopback(address: string): boolean {
  const plain = unmapped(address);
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

function unmapped(address: string): string {
  const lower = address.toLowerCase();
  return lower.startsWith('::ffff:') && isIP(lower.slice(7)) === 4 ? lower.slice(7) : lower;
}
