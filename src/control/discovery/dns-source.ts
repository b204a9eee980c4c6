import type { RecordQueries, ServiceRecord } from '../../platform/dns.ts';
import { buildServer } from '../config/build.ts';
import type { ConfigServer } from '../config/config.ts';
import type { DnsDiscovery } from '../config/discovery.ts';
import { type Asked, askAgain } from './ask-again.ts';
import type { StartSource } from './source.ts';

/** Targets of one SRV answer that are asked for; an answer over UDP and TCP has room for thousands. */
const TARGETS_MAX = 1_024;
/** The largest weight a configuration may write. */
const WEIGHT_MAX = 256;

/** Records of a name: each address is a server. Asked again when the answer's time to live is over. */
export const startDns: StartSource<DnsDiscovery> = (source, means, sink) =>
  askAgain(means, sink, () =>
    source.type === 'srv' ? askServices(source, means.dns) : askAddresses(source, means.dns),
  );

async function askAddresses(source: DnsDiscovery, dns: RecordQueries): Promise<Asked> {
  const type = source.type === 'aaaa' ? 'aaaa' : 'a';
  const { addresses, ttlMs } = await dns.addresses(source.name, type, source.resolvers);
  const port = source.port ?? 0;
  const servers = [...new Set(addresses)]
    .sort()
    .map((ip) => buildServer({ address: written(ip, port) }));
  return { servers, nextMs: bounded(ttlMs ?? source.ttlMsMin, source) };
}

async function askServices(source: DnsDiscovery, dns: RecordQueries): Promise<Asked> {
  const records = (await dns.services(source.name, source.resolvers)).slice(0, TARGETS_MAX);
  const targets = new Map<string, readonly string[]>();
  let nextMs = source.intervalMs;
  const names = [...new Set(records.map(({ target }) => target))];
  for (const answer of await Promise.all(names.map((name) => askTarget(name, source, dns)))) {
    targets.set(answer.name, answer.addresses);
    if (answer.ttlMs !== null) nextMs = Math.min(nextMs, bounded(answer.ttlMs, source));
  }
  return { servers: serversOf(records, targets), nextMs };
}

/** IPv4 addresses of a target, else its IPv6 ones. */
async function askTarget(
  name: string,
  source: DnsDiscovery,
  dns: RecordQueries,
): Promise<{ name: string; addresses: readonly string[]; ttlMs: number | null }> {
  const four = await dns.addresses(name, 'a', source.resolvers);
  if (four.addresses.length > 0) return { name, ...four };
  return { name, ...(await dns.addresses(name, 'aaaa', source.resolvers)) };
}

/**
 * Servers of SRV records: those of the lowest priority number take the traffic by their weights, all others
 * are backups.
 */
export function serversOf(
  records: readonly ServiceRecord[],
  addressesOf: ReadonlyMap<string, readonly string[]>,
): readonly ConfigServer[] {
  const first = Math.min(...records.map(({ priority }) => priority));
  const servers = new Map<string, ConfigServer>();
  const weights = fittedWeights(records.map(({ weight }) => weight));
  for (const [index, { target, port, priority }] of records.entries()) {
    // RFC 2782: a target `.` says that the service is decidedly not there.
    if (target === '' || target === '.' || port === 0) continue;
    for (const ip of [...(addressesOf.get(target) ?? [])].sort()) {
      const address = written(ip, port);
      if (servers.has(address)) continue;
      const backup = priority !== first;
      const labels = new Map([['host', target]]);
      servers.set(address, buildServer({ address, weight: weights[index] ?? 1, backup, labels }));
    }
  }
  return [...servers.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

/**
 * SRV weights (0–65535) as ours (1–256), in the same proportions as near as that allows. In SRV a weight of 0
 * means a very small share, in ours none at all, so it becomes 1 and the others grow.
 */
export function fittedWeights(weights: readonly number[]): readonly number[] {
  const most = Math.max(...weights);
  if (most === 0) return weights.map(() => 1);
  const mustScale = most > WEIGHT_MAX || weights.includes(0);
  const scale = mustScale ? WEIGHT_MAX / most : 1;
  return weights.map((weight) => Math.max(1, Math.round(weight * scale)));
}

function bounded(ttlMs: number, { ttlMsMin, ttlMsMax }: DnsDiscovery): number {
  return Math.min(Math.max(ttlMs, ttlMsMin), ttlMsMax);
}

function written(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
