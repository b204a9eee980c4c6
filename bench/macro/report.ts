import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerName } from './peers.ts';
import type { Sample, Workload } from './workloads.ts';

/** All samples of one workload, by peer. */
export interface WorkloadResult {
  readonly workload: Workload;
  readonly samples: Partial<Record<PeerName, Sample[]>>;
}

/** Median of a list; NaN for an empty one. */
export function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median and spread (least to greatest) of one number over the rounds. */
export function summarize(
  samples: readonly Sample[],
  name: string,
): {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
} {
  const list = samples.map((sample) => sample[name] ?? Number.NaN);
  return { median: median(list), least: Math.min(...list), greatest: Math.max(...list) };
}

function short(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

/** A Markdown table: one row per workload, one column per peer, then our ratios. */
export function table(results: readonly WorkloadResult[], peers: readonly PeerName[]): string {
  const others = peers.filter((peer) => peer !== 'evenkeel');
  const ratios = peers.includes('evenkeel') ? others.map((peer) => `÷ ${peer}`) : [];
  const lines = [
    `| work | unit | ${[...peers, ...ratios].join(' | ')} |`,
    `|---|---|${'---|'.repeat(peers.length + ratios.length)}`,
  ];
  for (const { workload, samples } of results) {
    const medians = new Map<PeerName, number>();
    const cells = peers.map((peer) => {
      const list = samples[peer] ?? [];
      if (list.length === 0) return '–';
      const { median: middle, least, greatest } = summarize(list, workload.compares);
      medians.set(peer, middle);
      return `${short(middle)} (${short(least)}–${short(greatest)})`;
    });
    const ours = medians.get('evenkeel');
    const shares = ratios.map((_, index) => {
      const theirs = medians.get(others[index]!);
      return ours === undefined || theirs === undefined ? '–' : (ours / theirs).toFixed(2);
    });
    lines.push(`| ${workload.says} | ${workload.unit} | ${[...cells, ...shares].join(' | ')} |`);
  }
  return lines.join('\n');
}

/** Problems that make a number doubtful: errors, a rate that was not held, a starved balancer. */
export function doubts(results: readonly WorkloadResult[]): string[] {
  const found: string[] = [];
  for (const { workload, samples } of results) {
    for (const [peer, list] of Object.entries(samples)) {
      const errors = list.reduce((sum, sample) => sum + (sample['errors'] ?? 0), 0);
      if (errors > 0) found.push(`${workload.name}, ${peer}: ${errors} errors`);
      const late = summarize(list, 'latenessP99Us').median;
      if (late > 5_000)
        found.push(`${workload.name}, ${peer}: generator late by ${short(late)} µs`);
      const isShort = list.some((one) => (one['answered'] ?? 0) < (one['wanted'] ?? 0));
      if (isShort) found.push(`${workload.name}, ${peer}: the rate was not held`);
    }
  }
  return found;
}

/** Writes bench/results/DATE-N.json and .md. Returns the path without its ending. */
export function writeResults(
  directory: string,
  facts: Readonly<Record<string, string>>,
  results: readonly WorkloadResult[],
  peers: readonly PeerName[],
): string {
  mkdirSync(directory, { recursive: true });
  const day = new Date().toISOString().slice(0, 10);
  let number = 1;
  while (existsSync(join(directory, `${day}-${number}.json`))) number++;
  const path = join(directory, `${day}-${number}`);
  const plain = results.map(({ workload, samples }) => ({
    name: workload.name,
    says: workload.says,
    compares: workload.compares,
    unit: workload.unit,
    samples,
  }));
  writeFileSync(`${path}.json`, `${JSON.stringify({ facts, workloads: plain }, null, 1)}\n`);
  const about = Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`);
  const doubtful = doubts(results).map((one) => `- doubtful: ${one}`);
  writeFileSync(
    `${path}.md`,
    `# Side by side, ${day}, run ${number}\n\nMedian of the rounds, in brackets least to greatest.\n\n` +
      `${table(results, peers)}\n\n${[...about, ...doubtful].join('\n')}\n`,
  );
  return path;
}
