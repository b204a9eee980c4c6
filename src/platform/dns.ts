import { lookup, Resolver } from 'node:dns/promises';

/** What a name stands for: numeric addresses (never empty) and how long the answer may be used. */
export interface NameAnswer {
  readonly addresses: readonly string[];
  readonly ttlMs: number;
}

/** How long an answer of the system's resolver holds, which tells no TTL. */
const LOOKUP_TTL_MS = 30_000;
/** One question to a name server, and how often it is asked. */
const QUERY_MS = 1_500;
const TRIES = 2;

let resolver: Resolver | null = null;

/**
 * Asks DNS for the IPv4 addresses with their TTL and, at the same time, the system's resolver
 * (hosts file, IPv6, local names), whose answer counts when DNS has none. Errors: rejects when
 * neither knows the name; the message says why.
 */
export async function resolveName(host: string): Promise<NameAnswer> {
  const fromSystem = askSystem(host);
  // Names without a dot are the system's: hosts files and container networks.
  if (!host.includes('.')) return fromSystem;
  const fromDns = askDns(host);
  // Whichever is not used may still fail later; that failure is then nobody's concern.
  fromSystem.catch(() => undefined);
  try {
    return await fromDns;
  } catch {
    return fromSystem;
  }
}

async function askDns(host: string): Promise<NameAnswer> {
  resolver ??= new Resolver({ timeout: QUERY_MS, tries: TRIES });
  const records = await resolver.resolve4(host, { ttl: true });
  if (records.length === 0) throw new Error(`${host} has no address`);
  const ttlSeconds = Math.min(...records.map((record) => record.ttl));
  return { addresses: records.map((record) => record.address), ttlMs: ttlSeconds * 1_000 };
}

async function askSystem(host: string): Promise<NameAnswer> {
  const found = await lookup(host, { all: true, order: 'ipv4first' });
  if (found.length === 0) throw new Error(`${host} has no address`);
  return { addresses: found.map((each) => each.address), ttlMs: LOOKUP_TTL_MS };
}

/** Addresses of a name; none where the name or its records do not exist. */
export interface AddressRecords {
  readonly addresses: readonly string[];
  /** The shortest of the records; null without one. */
  readonly ttlMs: number | null;
}

/** One SRV record (RFC 2782). */
export interface ServiceRecord {
  readonly target: string;
  readonly port: number;
  /** The lowest number goes first. */
  readonly priority: number;
  readonly weight: number;
}

/**
 * Which records discovery asks for. `resolvers`: `ip` or `ip:port`; empty = the system's. That a name or
 * its records do not exist is an answer without records. Errors: each rejects when there is no answer.
 */
export interface RecordQueries {
  addresses(
    name: string,
    type: 'a' | 'aaaa',
    resolvers: readonly string[],
  ): Promise<AddressRecords>;
  services(name: string, resolvers: readonly string[]): Promise<readonly ServiceRecord[]>;
}

/** Lists of name servers in use: configurations have a few, whatever reloads do. */
const RESOLVERS_KEPT = 32;
const resolversByServers = new Map<string, Resolver>();

/** Node's resolver (c-ares), without its or our caching. */
export const recordQueries: RecordQueries = {
  addresses: async (name, type, resolvers) => {
    const asked = resolverFor(resolvers);
    const query =
      type === 'a' ? asked.resolve4(name, { ttl: true }) : asked.resolve6(name, { ttl: true });
    const records = await orNone(query);
    const ttls = records.map(({ ttl }) => ttl * 1_000);
    return {
      addresses: records.map(({ address }) => address),
      ttlMs: ttls.length === 0 ? null : Math.min(...ttls),
    };
  },
  services: async (name, resolvers) => {
    const records = await orNone(resolverFor(resolvers).resolveSrv(name));
    return records.map(({ name: target, port, priority, weight }) => ({
      target,
      port,
      priority,
      weight,
    }));
  },
};

function resolverFor(servers: readonly string[]): Resolver {
  const key = servers.join(' ');
  const known = resolversByServers.get(key);
  if (known !== undefined) return known;
  const made = new Resolver({ timeout: QUERY_MS, tries: TRIES });
  if (servers.length > 0) made.setServers(servers);
  if (resolversByServers.size >= RESOLVERS_KEPT) resolversByServers.clear();
  resolversByServers.set(key, made);
  return made;
}

async function orNone<Answer>(query: Promise<Answer[]>): Promise<Answer[]> {
  try {
    return await query;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error;
  }
}
