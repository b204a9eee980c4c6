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
