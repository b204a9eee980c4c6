// Evenkeel, nginx and HAProxy side by side: npm run bench -- --rounds 5 --seconds 3
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endAll, endChild, machineFacts } from './machine.ts';
import { type Peer, type PeerKind, type PeerName, startPeer } from './peers.ts';
import { doubts, median, table, type WorkloadResult, writeResults } from './report.ts';
import { type Servers, startServers } from './servers.ts';
import { type Bench, type Workload, workloads } from './workloads.ts';
import { writeScripts } from './wrk.ts';

/** Share of nginx's throughput at which latency is measured. */
const RATE_SHARE = 0.7;
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const help = `npm run bench -- [--rounds 5] [--seconds 3] [--only small-64,1m] [--peers evenkeel,nginx,haproxy]
  [--rate N] [--no-write]
workloads: ${workloads.map(({ name }) => name).join(' ')}
`;

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly only: readonly Workload[];
  readonly peers: readonly PeerName[];
  readonly rate: number;
  readonly isWritten: boolean;
}

function readOptions(): Options | null {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      peers: { type: 'string', default: 'evenkeel,nginx,haproxy' },
      rate: { type: 'string', default: '0' },
      write: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const names = values.only === '' ? workloads.map(({ name }) => name) : values.only.split(',');
  const only = names.map((name) => {
    const workload = workloads.find((one) => one.name === name);
    if (workload === undefined) throw new Error(`Cannot run ${name}: no such workload\n${help}`);
    return workload;
  });
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    only,
    peers: values.peers.split(',') as PeerName[],
    rate: Number(values.rate),
    isWritten: values.write,
  };
}

/**
 * One pass over workloads of one kind. The rounds interleave the peers, so that a machine whose
 * speed drifts drifts for all of them; the order turns by one from round to round.
 */
async function measure(
  chosen: readonly Workload[],
  options: Options,
  bench: Bench,
  directory: string,
  servers: Servers,
): Promise<WorkloadResult[]> {
  const kind = chosen[0]?.kind;
  if (kind === undefined) return [];
  const peers: Peer[] = [];
  for (const name of options.peers) {
    peers.push(await startPeer(name, kind, directory, servers, root));
  }
  const results = chosen.map((workload): WorkloadResult => ({ workload, samples: {} }));
  for (const { workload, samples } of results) {
    // Fresh code paths are no part of a steady state: one short unrecorded run each. Memory is
    // measured once, on fresh processes: what an earlier round grew would hide what this one needs.
    const isMemory = workload.name === 'idle';
    for (const peer of isMemory ? [] : peers) await workload.run(peer, { ...bench, seconds: 1 });
    for (let round = 0; round < (isMemory ? 1 : options.rounds); round++) {
      for (let turn = 0; turn < peers.length; turn++) {
        const peer = peers[(turn + round) % peers.length]!;
        const sample = await workload.run(peer, bench);
        if (sample === null) continue;
        const list = samples[peer.name] ?? [];
        samples[peer.name] = list;
        list.push(sample);
        const value = sample[workload.compares]!.toFixed(1);
        console.log(`${workload.name} round ${round + 1} ${peer.name}: ${value} ${workload.unit}`);
      }
    }
    if (workload.name === 'small-256' && options.rate === 0) {
      const reached = (samples.nginx ?? []).map((sample) => sample['requestsPerSecond']!);
      bench.rate = reached.length === 0 ? 0 : Math.floor(median(reached) * RATE_SHARE);
    }
  }
  for (const peer of peers) await endChild(peer.child);
  return results;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === null) {
    console.log(help);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
  // nginx started by root serves the files as another user.
  chmodSync(directory, 0o755);
  try {
    const servers = await startServers(directory);
    const bench: Bench = {
      seconds: options.seconds,
      scripts: writeScripts(directory),
      rate: options.rate,
    };
    const memory = options.only.filter(({ name }) => name === 'idle');
    const of = (kind: PeerKind): Workload[] =>
      options.only.filter((one) => one.kind === kind && !memory.includes(one));
    const results = [
      ...(await measure(of('plain'), options, bench, directory, servers)),
      ...(await measure(of('realistic'), options, bench, directory, servers)),
      ...(await measure(memory, options, bench, directory, servers)),
    ];
    console.log(`\n${table(results, options.peers)}`);
    for (const one of doubts(results)) console.log(`doubtful: ${one}`);
    if (!options.isWritten) return;
    const facts = {
      ...machineFacts(root),
      rounds: `${options.rounds} of ${options.seconds} s, interleaved`,
      'open-loop rate': `${bench.rate} requests per second`,
    };
    console.log(
      `written: ${writeResults(join(root, 'bench/results'), facts, results, options.peers)}`,
    );
  } finally {
    await endAll();
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
