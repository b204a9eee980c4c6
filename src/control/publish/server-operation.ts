import { parseServerAddress } from '../config/address.ts';
import { buildServer } from '../config/build.ts';
import type { Config, ConfigPool } from '../config/config.ts';
import type { OperationProblem, ServerOperation, ServerSpec } from './operations.ts';
import type { Overlay } from './overlay.ts';

/** What an operation is made on. */
export interface OperationGround {
  /** What would run now, with the operations made so far. */
  readonly effective: Config;
  /** Without what operators changed. */
  readonly underlying: Config;
  readonly overlay: Overlay;
  readonly wallMs: number;
}

/** The largest weight that can be set at run time. */
const WEIGHT_MAX = 1_000;
const CONNECTIONS_MAX = 1_000_000;
/** A drain of more than a week is a removal. */
const DRAIN_MS_MAX = 604_800_000;

/** Makes one change in the overlay. Gives why it cannot be made; nothing has changed then. */
export function applyOperation(
  operation: ServerOperation,
  ground: OperationGround,
): OperationProblem | null {
  const { pool } = operation;
  const does = doesText(operation);
  const found = ground.effective.pools.find((each) => each.name === pool);
  if (found === undefined)
    return refusal('unknown-pool', does, 'pools', 'the name of a pool', pool);
  if (operation.op === 'add') return add(operation.server, found, does, ground);
  const { address } = operation;
  if (!found.servers.some((server) => server.address === address)) {
    const requirement = `a server of the pool: ${found.servers.map((s) => s.address).join(', ')}`;
    return refusal('unknown-server', does, `pools.${pool}.servers`, requirement, address);
  }
  const { overlay, wallMs } = ground;
  if (operation.op === 'set') {
    const { weight } = operation;
    const path = `pools.${pool}.servers.weight`;
    if (!isCount(weight, WEIGHT_MAX)) return badWeight(does, path, weight);
    overlay.setWeight(pool, address, weight);
  } else if (operation.op === 'drain') {
    const { forMs } = operation;
    if (forMs !== null && !(Number.isFinite(forMs) && forMs >= 0 && forMs <= DRAIN_MS_MAX)) {
      const requirement = 'a time from 0 to 168 h';
      return refusal('invalid-time', does, `pools.${pool}.servers`, requirement, `${forMs} ms`);
    }
    overlay.drain(pool, address, forMs === null ? null : wallMs + forMs);
  } else if (operation.op === 'ready') overlay.ready(pool, address);
  else overlay.remove(pool, address);
  return null;
}

/** The refusal of what does not fit into shared memory. */
export function noRoom(does: string, requirement: string): OperationProblem {
  return refusal('capacity-reached', does, null, requirement, 'none free');
}

function add(
  spec: ServerSpec,
  pool: ConfigPool,
  does: string,
  { underlying, overlay }: OperationGround,
): OperationProblem | null {
  const path = `pools.${pool.name}.servers`;
  const { address, weight = 1, maxConnections = 0, maxPending = 0 } = spec;
  if (parseServerAddress(address) === null) {
    const requirement = 'an address such as 10.0.0.1:3000, app.internal:80 or unix:/run/app.sock';
    return refusal('invalid-server', does, path, requirement, address);
  }
  if (!isCount(weight, WEIGHT_MAX)) return badWeight(does, path, weight);
  if (!isCount(maxConnections, CONNECTIONS_MAX)) {
    const requirement = `a whole number of connections from 0 to ${CONNECTIONS_MAX}`;
    return refusal('invalid-server', does, path, requirement, String(maxConnections));
  }
  if (!isCount(maxPending, CONNECTIONS_MAX)) {
    const requirement = `a whole number of unanswered requests from 0 to ${CONNECTIONS_MAX}`;
    return refusal('invalid-server', does, path, requirement, String(maxPending));
  }
  if (pool.servers.some((server) => server.address === address)) {
    return refusal('server-exists', does, path, 'an address the pool does not have', address);
  }
  const labels = new Map(Object.entries(spec.labels ?? {}));
  const server = buildServer({
    address,
    weight,
    backup: spec.backup ?? false,
    maxConnections,
    ...(maxPending === 0 ? {} : { maxPending }),
    labels,
  });
  const written = underlying.pools.find((each) => each.name === pool.name);
  const isBelow = written?.servers.some((each) => each.address === address) === true;
  overlay.add(pool.name, server, isBelow);
  return null;
}

function doesText(operation: ServerOperation): string {
  const { pool } = operation;
  switch (operation.op) {
    case 'add':
      return `add ${operation.server.address} to ${pool}`;
    case 'remove':
      return `remove ${pool}/${operation.address}`;
    case 'drain':
      return `drain ${pool}/${operation.address}`;
    case 'ready':
      return `make ready ${pool}/${operation.address}`;
    case 'set':
      return `set the weight of ${pool}/${operation.address}`;
  }
}

function isCount(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

function badWeight(does: string, path: string, weight: number): OperationProblem {
  const requirement = `a whole number from 0 to ${WEIGHT_MAX}`;
  return refusal('invalid-weight', does, path, requirement, String(weight));
}

function refusal(
  code: OperationProblem['code'],
  does: string,
  path: string | null,
  requirement: string,
  found: string,
): OperationProblem {
  const message = `Cannot ${does} as ${requirement} is required: current value is ${found}`;
  return { code, message, path, requirement, found };
}
