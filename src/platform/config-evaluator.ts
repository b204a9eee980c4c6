import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../base/invariant.ts';
import type { EvaluateAnswer, EvaluateOrder } from './config-files.ts';

/**
 * The thread that runs a configuration module (started by `localConfigFiles.evaluate`): imports it,
 * sends its default export back as plain data, and is then ended by its starter.
 */
const { module, library, wants } = workerData as EvaluateOrder;

// `import { defineConfig } from 'evenkeel'` works without installing the package beside the file, and
// loads that function only, not the balancer.
registerHooks({
  resolve(specifier, context, nextResolve) {
    return specifier === 'evenkeel'
      ? { url: library, shortCircuit: true }
      : nextResolve(specifier, context);
  },
});

answer(await run());

async function run(): Promise<EvaluateAnswer> {
  try {
    const exports: { default?: unknown } = await import(module);
    if (exports.default === undefined) {
      return { type: 'not-plain', path: '', what: 'a module without a default export' };
    }
    const value = await exports.default;
    if (wants === 'policy') return policyAnswer(value);
    return firstNotPlain(value) ?? { type: 'value', value };
  } catch (error) {
    if (!(error instanceof Error)) return { type: 'error', message: String(error), stack: '' };
    return { type: 'error', message: error.message, stack: error.stack ?? '' };
  }
}

/** The words of a policy; its functions stay with the workers. */
function policyAnswer(value: unknown): EvaluateAnswer {
  const { build, needs, says } = (value ?? {}) as Record<string, unknown>;
  if (typeof build !== 'function') {
    return { type: 'not-plain', path: '', what: 'a default export without a function build' };
  }
  if (needs !== undefined && !['nothing', 'address', 'key'].includes(String(needs))) {
    return { type: 'not-plain', path: 'needs', what: `needs ${String(needs)}` };
  }
  return { type: 'value', value: { says: says === undefined ? null : String(says) } };
}

function answer(result: EvaluateAnswer): void {
  invariant(parentPort !== null, 'this file is started as a worker thread');
  parentPort.postMessage(result);
}

/** What structured clone would refuse, with its path; depth and circles are the reader's business. */
function firstNotPlain(root: unknown): EvaluateAnswer | null {
  const seen = new Set<object>();
  const waiting: { value: unknown; path: string }[] = [{ value: root, path: '' }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    if (typeof value === 'function' || typeof value === 'symbol') {
      return { type: 'not-plain', path, what: `a ${typeof value}` };
    }
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const [key, inner] of Object.entries(value)) {
      const isIndex = Array.isArray(value);
      waiting.push({
        value: inner,
        path: isIndex ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`,
      });
    }
  }
  return null;
}
