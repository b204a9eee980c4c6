import { invariant } from '../../base/invariant.ts';
import type { CheckedDiscovery } from './checked.ts';

/** Where servers of a pool are found at run time, with how far its answers are believed. */
export type ConfigDiscovery = (
  | DnsDiscovery
  | FileDiscovery
  | HttpDiscovery
  | DockerDiscovery
  | KubernetesDiscovery
) & {
  /** How long an answer that takes away too many servers is held back; 0 = not at all. */
  readonly keepLastMs: number;
  /** 0–1: share of the servers that may vanish at once. */
  readonly vanishRatio: number;
};

/** Records of a name. */
export interface DnsDiscovery {
  readonly kind: 'dns';
  readonly name: string;
  readonly type: 'a' | 'aaaa' | 'srv';
  /** Port of every server; null for srv, whose records tell it. */
  readonly port: number | null;
  /** `ip` or `ip:port`; empty = the system's. */
  readonly resolvers: readonly string[];
  readonly ttlMsMin: number;
  readonly ttlMsMax: number;
  /** Between two questions for srv records, whose time to live we are not told. */
  readonly intervalMs: number;
}

/** A watched file. */
export interface FileDiscovery {
  readonly kind: 'file';
  /** As written: relative ones start at the working directory. */
  readonly path: string;
}

/** A URL that is asked again and again. */
export interface HttpDiscovery {
  readonly kind: 'http';
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Secret values. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Containers with a label. */
export interface DockerDiscovery {
  readonly kind: 'docker';
  readonly socket: string;
  /** `name` or `name=value`. */
  readonly label: string;
  /** Null = the container's first. */
  readonly network: string | null;
  /** Null = by label, else the only one that the container exposes. */
  readonly port: number | null;
}

/** Ready endpoints of a service. */
export interface KubernetesDiscovery {
  readonly kind: 'kubernetes';
  readonly service: string;
  /** Null = our own. */
  readonly namespace: string | null;
  /** Number or name; null = the only one. */
  readonly port: string | null;
  readonly apiServer: string;
  /** Null = the service account's. */
  readonly tokenFile: string | null;
  readonly caFile: string | null;
}

const KEEP_LAST_MS = 60_000;
const VANISH_RATIO = 0.5;

/** Fills in the defaults of one source that shape and references were checked of. */
export function buildDiscovery(checked: CheckedDiscovery): ConfigDiscovery {
  const isFile = checked.file !== undefined;
  return {
    ...buildKind(checked),
    // Who writes a file means what it says.
    keepLastMs: checked.keepLast ?? (isFile ? 0 : KEEP_LAST_MS),
    vanishRatio: checked.vanish ?? VANISH_RATIO,
  };
}

function buildKind(
  checked: CheckedDiscovery,
): DnsDiscovery | FileDiscovery | HttpDiscovery | DockerDiscovery | KubernetesDiscovery {
  const { dns, file, http, docker, kubernetes } = checked;
  if (dns !== undefined) {
    const type = checked.type ?? 'a';
    return {
      kind: 'dns',
      name: dns,
      type,
      port: checked.port ?? null,
      resolvers: checked.resolvers ?? [],
      ttlMsMin: checked.ttlMin ?? 1_000,
      ttlMsMax: checked.ttlMax ?? 300_000,
      intervalMs: checked.interval ?? 10_000,
    };
  }
  if (file !== undefined) return { kind: 'file', path: file };
  if (http !== undefined) {
    return {
      kind: 'http',
      url: http,
      intervalMs: checked.interval ?? 1_000,
      timeoutMs: checked.timeout ?? 2_000,
      headers: Object.fromEntries(checked.headers ?? []),
    };
  }
  if (docker !== undefined) {
    invariant(docker.label !== undefined, 'a checked docker source has a label');
    return {
      kind: 'docker',
      socket: docker.socket ?? '/var/run/docker.sock',
      label: docker.label,
      network: docker.network ?? null,
      port: checked.port ?? null,
    };
  }
  invariant(kubernetes?.service !== undefined, 'a checked source has one of its kinds');
  return {
    kind: 'kubernetes',
    service: kubernetes.service,
    namespace: kubernetes.namespace ?? null,
    port: kubernetes.port ?? null,
    apiServer: kubernetes.apiServer ?? 'https://kubernetes.default.svc',
    tokenFile: kubernetes.tokenFile ?? null,
    caFile: kubernetes.caFile ?? null,
  };
}

/** A source in a few words, for status, log and metrics: `dns app.internal a`, `file servers.yaml`. */
export function discoveryName(source: ConfigDiscovery): string {
  switch (source.kind) {
    case 'dns':
      return `dns ${source.name} ${source.type}`;
    case 'file':
      return `file ${source.path}`;
    case 'http':
      return `http ${urlWithoutQuery(source.url)}`;
    case 'docker':
      return `docker ${source.label}`;
    case 'kubernetes':
      return `kubernetes ${source.namespace ?? '-'}/${source.service}`;
  }
}

/** Queries may hold keys that are nobody's business. */
function urlWithoutQuery(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

/** The source as it may be shown: values of header fields and queries left out. */
export function withoutSecrets(source: ConfigDiscovery): ConfigDiscovery {
  if (source.kind !== 'http') return source;
  const names = Object.keys(source.headers);
  const url = source.url.includes('?') ? `${urlWithoutQuery(source.url)}?(secret)` : source.url;
  return { ...source, url, headers: Object.fromEntries(names.map((name) => [name, '(secret)'])) };
}
