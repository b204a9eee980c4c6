import { buildServer } from '../config/build.ts';
import type { ConfigServer } from '../config/config.ts';

/** The parts of an EndpointSlice (discovery.k8s.io/v1) that are used. */
export interface EndpointSlice {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
  readonly addressType?: string;
  readonly endpoints?: readonly Endpoint[] | null;
  readonly ports?: readonly SlicePort[] | null;
}

interface Endpoint {
  readonly addresses?: readonly string[];
  /** Absent = ready. */
  readonly conditions?: { readonly ready?: boolean | null };
  readonly zone?: string;
  readonly nodeName?: string;
  readonly targetRef?: { readonly name?: string };
}

interface SlicePort {
  readonly name?: string | null;
  readonly port?: number | null;
  readonly protocol?: string | null;
}

/** Ready endpoints of all slices, each address once; a slice without the port has none. */
export function serversOf(
  slices: readonly EndpointSlice[],
  wanted: string | null,
): readonly ConfigServer[] {
  const servers = new Map<string, ConfigServer>();
  for (const slice of slices) {
    const port = portOf(slice, wanted);
    if (port === null || slice.addressType === 'FQDN') continue;
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses?.[0];
      if (ip === undefined || endpoint.conditions?.ready === false) continue;
      const address = ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
      servers.set(address, buildServer({ address, labels: labelsOf(endpoint) }));
    }
  }
  return [...servers.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

function portOf({ ports }: EndpointSlice, wanted: string | null): number | null {
  if (wanted !== null && /^\d+$/.test(wanted)) return Number(wanted);
  const usable = (ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');
  const fitting = wanted === null ? usable : usable.filter(({ name }) => name === wanted);
  // Without a name, a choice between several would be a guess.
  return fitting.length === 1 ? (fitting[0]?.port ?? null) : null;
}

function labelsOf({ zone, nodeName, targetRef }: Endpoint): Map<string, string> {
  const labels = new Map<string, string>();
  if (zone) labels.set('zone', zone);
  if (nodeName) labels.set('node', nodeName);
  if (targetRef?.name) labels.set('pod', targetRef.name);
  return labels;
}
