import { createHash } from 'node:crypto';
import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../base/invariant.ts';
import type { InspectAnswer, InspectOrder } from './user-modules.ts';

/**
 * The thread that looks at a module of the user's functions (started by `inspectModule`): imports it,
 * tells what its default export has and which files it is made of, and is then ended by its starter.
 */
const { module, library } = workerData as InspectOrder;
const files: string[] = [];
const hash = createHash('sha256');

registerHooks({
  resolve(specifier, context, nextResolve) {
    return specifier === 'evenkeel'
      ? { url: library, shortCircuit: true }
      : nextResolve(specifier, context);
  },
  load(url, context, nextLoad) {
    const isUsers = url.startsWith('file:') && url !== library && !url.includes('/node_modules/');
    // Before it is read: a file with a fault of syntax is one of them too.
    if (isUsers) files.push(url);
    const loaded = nextLoad(url, context);
    if (isUsers) {
      hash.update(url);
      if (loaded.source !== undefined && loaded.source !== null) {
        const { source } = loaded;
        hash.update(typeof source === 'string' ? source : new Uint8Array(source as ArrayBuffer));
      }
    }
    return loaded;
  },
});

answer(await run());

async function run(): Promise<InspectAnswer> {
  try {
    const exports: { default?: unknown } = await import(module);
    const value = exports.default;
    const isRecord = typeof value === 'object' && value !== null;
    const members = isRecord
      ? Object.entries(value).map(([name, member]) => [name, typeof member] as const)
      : null;
    return { type: 'module', members, files, version: hash.digest('hex').slice(0, 16) };
  } catch (error) {
    if (!(error instanceof Error))
      return { type: 'error', message: String(error), stack: '', files };
    return { type: 'error', message: error.message, stack: error.stack ?? '', files };
  }
}

function answer(result: InspectAnswer): void {
  invariant(parentPort !== null, 'this file is started as a worker thread');
  parentPort.postMessage(result);
}
