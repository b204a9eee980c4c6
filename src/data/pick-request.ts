import type { PickRequest } from '../balance/policy.ts';
import type { Exchange } from './exchange.ts';
import type { Plane } from './plane.ts';

/** What policies are told of an exchange; valid until the next one is. */
export function pickRequestOf(plane: Plane, exchange: Exchange): PickRequest {
  const request = plane.pickRequest;
  request.addressHash = exchange.addressHash;
  request.keyHash = exchange.keyHash;
  request.tried = exchange.tried;
  request.triedCount = exchange.triedCount;
  return request;
}
