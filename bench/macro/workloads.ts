import { fileURLToPath } from 'node:url';
import { cpuMicroseconds, endChild, LOAD_CORE, residentBytes, spawnPinned } from './machine.ts';
import type { Peer, PeerKind } from './peers.ts';
import { runWrk } from './wrk.ts';

/** One measurement: names to numbers; which names depends on the workload. */
export type Sample = Readonly<Record<string, number>>;

/** What all runs of one benchmark share. */
export interface Bench {
  readonly seconds: number;
  readonly scripts: { readonly plain: string; readonly realistic: string };
  /** Fixed rate of the open loop, requests per second; known after nginx's small answers. */
  rate: number;
}

/** One kind of traffic. */
export interface Workload {
  readonly name: string;
  readonly says: string;
  readonly kind: PeerKind;
  /** The number that peers are compared by. */
  readonly compares: string;
  readonly unit: string;
  readonly run: (peer: Peer, bench: Bench) => Promise<Sample | null>;
}

interface HttpLoad {
  readonly path: string;
  readonly links: number;
  readonly isNewLinkPerRequest?: boolean;
}

function http(load: HttpLoad, kind: PeerKind): Workload['run'] {
  return async (peer, bench) => {
    const port = kind === 'plain' ? peer.http : peer.realistic;
    const url = `http://127.0.0.1:${port}${load.path}`;
    const pid = peer.child.pid!;
    const before = cpuMicroseconds(pid);
    const result = await runWrk({
      url,
      links: load.links,
      seconds: bench.seconds,
      script: kind === 'plain' ? bench.scripts.plain : bench.scripts.realistic,
      isNewLinkPerRequest: load.isNewLinkPerRequest ?? false,
    });
    const cpuUs = cpuMicroseconds(pid) - before;
    return {
      cpuUsPerRequest: cpuUs / result.requests,
      requestsPerSecond: (result.requests * 1e6) / result.durationUs,
      p50Us: result.p50Us,
      p99Us: result.p99Us,
      errors: result.errors,
      coreShare: cpuUs / result.durationUs,
    };
  };
}

/** Runs a Node program on the load's core and parses the line that it prints. */
function runLoad(file: string, options: unknown): Promise<Record<string, number>> {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const child = spawnPinned(LOAD_CORE, [process.execPath, script, JSON.stringify(options)], {
    output: 'pipe',
  });
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as Record<string, number>);
      else reject(new Error(`${file} ended with ${code}: ${text}`));
    });
  });
}

async function openLoop(peer: Peer, bench: Bench): Promise<Sample | null> {
  if (bench.rate === 0) return null;
  const pid = peer.child.pid!;
  const before = cpuMicroseconds(pid);
  const result = await runLoad('./open-loop.ts', {
    port: peer.http,
    path: '/small',
    rate: bench.rate,
    seconds: bench.seconds,
    links: 256,
  });
  const cpuUs = cpuMicroseconds(pid) - before;
  return { ...result, cpuUsPerRequest: cpuUs / result['answered']! } as Sample;
}

async function tcpRelay(peer: Peer, bench: Bench): Promise<Sample | null> {
  if (peer.tcp === 0) return null;
  const pid = peer.child.pid!;
  const before = cpuMicroseconds(pid);
  const options = { kind: 'ping-pong', port: peer.tcp, links: 64, seconds: bench.seconds };
  const { messages = 0 } = await runLoad('./link-load.ts', options);
  const cpuUs = cpuMicroseconds(pid) - before;
  return { cpuUsPerMessage: cpuUs / messages, messagesPerSecond: messages / bench.seconds };
}

const IDLE_LINKS = 8_000;

async function idleMemory(peer: Peer): Promise<Sample> {
  const pid = peer.child.pid!;
  // A first round warms code and buffers up: they are no cost of an idle link.
  await holdIdle(peer.http, 200, () => 0);
  const before = residentBytes(pid);
  const after = await holdIdle(peer.http, IDLE_LINKS, () => residentBytes(pid));
  return { bytesPerLink: (after - before) / IDLE_LINKS, baseMiB: before / 2 ** 20 };
}

async function holdIdle(port: number, links: number, look: () => number): Promise<number> {
  const script = fileURLToPath(new URL('./link-load.ts', import.meta.url));
  const options = JSON.stringify({ kind: 'idle', port, links });
  const child = spawnPinned(LOAD_CORE, [process.execPath, script, options], { output: 'pipe' });
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').once('data', resolve);
    child.once('close', () => reject(new Error('the idle links ended early')));
  });
  const result = JSON.parse(said) as { open?: number; error?: string };
  if (result.open !== links) throw new Error(`idle links: ${result.error ?? said}`);
  const bytes = look();
  await endChild(child);
  return bytes;
}

const cpu = { compares: 'cpuUsPerRequest', unit: 'µs CPU per request' } as const;

/** All workloads, in the order in which they run. */
export const workloads: readonly Workload[] = [
  ...[4, 64, 256].map(
    (links): Workload => ({
      name: `small-${links}`,
      says: `128-byte answers, ${links} links`,
      kind: 'plain',
      ...cpu,
      run: http({ path: '/small', links }, 'plain'),
    }),
  ),
  {
    name: '100k',
    says: '100 KiB answers, 8 links',
    kind: 'plain',
    ...cpu,
    run: http({ path: '/100k', links: 8 }, 'plain'),
  },
  {
    name: '1m',
    says: '1 MiB answers, 8 links',
    kind: 'plain',
    ...cpu,
    run: http({ path: '/1m', links: 8 }, 'plain'),
  },
  {
    name: 'new-link',
    says: 'a new link per request, 64 at a time',
    kind: 'plain',
    ...cpu,
    run: http({ path: '/small', links: 64, isNewLinkPerRequest: true }, 'plain'),
  },
  {
    name: 'realistic',
    says: 'browser headers, chunked answers, 20 % POST, 40 routes, access log, probes; 64 links',
    kind: 'realistic',
    ...cpu,
    run: http({ path: '/section-0/', links: 64 }, 'realistic'),
  },
  {
    name: 'open-loop',
    says: "p99 at a fixed rate of 70 % of nginx's capacity, 256 links, open loop",
    kind: 'plain',
    compares: 'p99Us',
    unit: 'µs p99',
    run: openLoop,
  },
  {
    name: 'tcp',
    says: 'TCP relay, 64-byte messages echoed, 64 links',
    kind: 'plain',
    compares: 'cpuUsPerMessage',
    unit: 'µs CPU per message and echo',
    run: tcpRelay,
  },
  {
    name: 'idle',
    says: '8,000 idle keep-alive links',
    kind: 'plain',
    compares: 'bytesPerLink',
    unit: 'bytes resident per link',
    run: idleMemory,
  },
];
