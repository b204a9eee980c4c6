import { buildServer } from '../config/build.ts';
import type { ConfigServer } from '../config/config.ts';
import type { DockerDiscovery } from '../config/discovery.ts';
import type { StartSource } from './source.ts';
import { StreamRetry } from './stream-retry.ts';

/** Events that change which containers run. */
const EVENTS = ['start', 'die', 'stop', 'pause', 'unpause', 'destroy', 'connect', 'disconnect'];
/** Events of one change come together; so long their list is waited for. */
const GATHER_MS = 50;
const ANSWER_MS = 5_000;
/** Docker says nothing while nothing happens, so a stream of this age is opened anew, with a new list. */
const SILENCE_MS = 300_000;
/** Docker's API of 2018 and since: what is used here is in all later ones. */
const API = 'http://docker/v1.38';

/** The parts of a container in Docker's list that are used. */
interface Container {
  readonly Id?: string;
  readonly Names?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Ports?: readonly { readonly PrivatePort?: number; readonly Type?: string }[];
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>>;
  };
}

/**
 * Running containers with a label. First the stream of events is opened, then the list is asked for, so that
 * nothing between the two is missed; each event asks for the list again.
 */
export const startDocker: StartSource<DockerDiscovery> = (source, means, sink) => {
  const { http, clock } = means;
  const question = (path: string, filters: unknown, timeoutMs: number) => ({
    url: `${API}${path}?filters=${encodeURIComponent(JSON.stringify(filters))}`,
    socketPath: source.socket,
    headers: {},
    timeoutMs,
    ca: null,
  });
  const list = async (): Promise<void> => {
    const filters = { label: [source.label], status: ['running'] };
    const answer = await http.get(question('/containers/json', filters, ANSWER_MS));
    if (answer.status !== 200) throw new Error(`Docker's answer has status ${answer.status}`);
    const containers = JSON.parse(answer.body) as readonly Container[];
    const servers = containers
      .flatMap((container) => serverOf(container, source) ?? [])
      .sort((a, b) => (a.address < b.address ? -1 : 1));
    retry.tell(() => sink.found(servers));
  };
  let isListing = false;
  let isStale = false;
  const refresh = async (): Promise<void> => {
    isStale = true;
    if (isListing) return;
    isListing = true;
    try {
      while (isStale) {
        await new Promise<void>((resolve) => void clock.after(GATHER_MS, resolve));
        isStale = false;
        await list();
      }
      retry.succeeded();
    } catch (error) {
      retry.failed(error instanceof Error ? error.message : String(error));
    } finally {
      isListing = false;
    }
  };
  const retry = new StreamRetry(means, sink, (end) =>
    http.lines(question('/events', { type: ['container', 'network'], event: EVENTS }, SILENCE_MS), {
      onStatus: (status) => {
        if (status === 200) void refresh();
        else end(`Docker's answer has status ${status}`);
      },
      onLine: () => void refresh(),
      onEnd: (why) => end(why),
    }),
  );
  return retry.start();
};

/** The server that a container is; null for one without an address or a port to choose. */
export function serverOf(container: Container, source: DockerDiscovery): ConfigServer | null {
  const { Labels: labels = {}, Ports: ports = [], NetworkSettings: settings } = container;
  const networks = settings?.Networks ?? {};
  const network = source.network === null ? Object.values(networks)[0] : networks[source.network];
  const ip = network?.IPAddress ?? '';
  const exposed = new Set(
    ports.flatMap(({ PrivatePort: port = 0, Type: type }) => (type === 'tcp' ? [port] : [])),
  );
  const only = exposed.size === 1 ? [...exposed][0] : undefined;
  const port = numberOf(labels['evenkeel.port'], 65_535) ?? source.port ?? only;
  if (ip === '' || port === undefined || port === 0) return null;
  const name = (container.Names?.[0] ?? container.Id ?? '').replace(/^\//, '').slice(0, 256);
  return buildServer({
    address: ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`,
    weight: numberOf(labels['evenkeel.weight'], 256) ?? 1,
    labels: new Map([['container', name]]),
  });
}

/** A whole number in a label; undefined for what is none, as a label must not take servers away. */
function numberOf(text: string | undefined, most: number): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}
