import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type Loaded, loadSource } from './configuration-source.ts';
import type { RunOptions } from './run-options.ts';
import { sibling } from './sibling.ts';

/**
 * Files from here on are read and checked by a thread of their own: this much takes control some 50 ms,
 * about what starting the thread costs.
 */
const LARGE_BYTES = 65_536;

/**
 * Loads the configuration that the options name; a large one in a thread that ends with it, so that
 * probes, verdicts and the admin API do not wait for seconds. Errors: rejects when the thread dies.
 */
export function loadApart(options: RunOptions): Promise<Loaded> {
  if (!isLarge(options)) return loadSource(options);
  return new Promise((resolve, reject) => {
    const thread = new Worker(sibling(import.meta.url, 'load-entry'), { workerData: options });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('The thread that reads the configuration ended')));
  });
}

function isLarge({ source }: RunOptions): boolean {
  if (source.kind === 'flags') return false;
  const facts = statSync(source.path, { throwIfNoEntry: false });
  return facts !== undefined && facts.size >= LARGE_BYTES;
}
