import { parentPort, workerData } from 'node:worker_threads';
import { useCompiledCode } from './compiled-code.ts';
import type { RunOptions } from './run-options.ts';

/* The short-lived thread of `loadApart`: reads and checks a configuration, sends plain data, ends. */
useCompiledCode();
const { loadSource } = await import('./configuration-source.ts');
parentPort?.postMessage(await loadSource(workerData as RunOptions));
