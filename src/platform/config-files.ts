import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** Why a file could not be read, in words that end the sentence `found …`. */
export interface UnreadableFile {
  readonly ok: false;
  readonly found: string;
}

/** Bytes of a whole file. */
export interface ReadableFile {
  readonly ok: true;
  readonly bytes: Uint8Array;
}

/** What evaluating a configuration module gave: plain data, or what went wrong and where. */
export type EvaluatedModule =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly found: string;
      /** Place in the module itself; null where the fault lies elsewhere. */
      readonly at: { readonly line: number; readonly column: number } | null;
      /** Path of the value at fault, `hooks.onRequest`; null when it is none. */
      readonly path: string | null;
    };

/**
 * What a module's default export is: plain data, or a policy, of which only the words are returned.
 */
export type ModuleKind = 'plain' | 'policy';

/** The files of a configuration, as control sees them. */
export interface ConfigFiles {
  /** Reads at most `bytesMax` bytes; a larger file is refused, not cut. */
  read(path: string, bytesMax: number): Promise<ReadableFile | UnreadableFile>;
  exists(path: string): Promise<boolean>;
  /**
   * Runs a TypeScript or JavaScript module in a thread of its own and returns its default export,
   * so every call sees the module and all it imports anew. `library` is what `evenkeel` is there.
   */
  evaluate(path: string, library: URL, wants?: ModuleKind): Promise<EvaluatedModule>;
  /** The absolute path of a file that `base` names. */
  beside(base: string, path: string): string;
  /** A short text that changes with the bytes. */
  markOf(bytes: Uint8Array): string;
}

/** A configuration that takes longer than this waits for something it should not wait for. */
const evaluateMsMax = 10_000;

/** The file system and threads of this machine. */
export const localConfigFiles: ConfigFiles = {
  read,
  exists,
  evaluate,
  beside: (base, path) => resolve(dirname(base), path),
  markOf: (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16),
};

async function read(path: string, bytesMax: number): Promise<ReadableFile | UnreadableFile> {
  try {
    // Non-blocking: opening a named pipe would otherwise wait for its writer for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = await file.stat();
      if (!facts.isFile()) return { ok: false, found: 'found something that is not a file' };
      if (facts.size > bytesMax) return { ok: false, found: `found ${facts.size} bytes` };
      return { ok: true, bytes: await readAtMost(file, bytesMax) };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { ok: false, found: foundFor(error) };
  }
}

/** The size may change between `stat` and now: the buffer, not the answer of `stat`, bounds the read. */
async function readAtMost(
  file: Awaited<ReturnType<typeof open>>,
  bytesMax: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(bytesMax);
  let length = 0;
  while (length < bytesMax) {
    const { bytesRead } = await file.read(bytes, length, bytesMax - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.slice(0, length);
}

function foundFor(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'found no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'found a file that we may not read';
  if (code === 'EISDIR') return 'found something that is not a file';
  return `found an error when reading it (${code})`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** What the evaluating thread is started with (`workerData`). */
export interface EvaluateOrder {
  readonly module: string;
  readonly library: string;
  readonly wants: ModuleKind;
}

/** What the evaluating thread answers. */
export type EvaluateAnswer =
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'not-plain'; readonly path: string; readonly what: string }
  | { readonly type: 'error'; readonly message: string; readonly stack: string };

function evaluate(
  path: string,
  library: URL,
  wants: ModuleKind = 'plain',
): Promise<EvaluatedModule> {
  const module = pathToFileURL(resolve(path)).href;
  const order: EvaluateOrder = { module, library: library.href, wants };
  // `.ts` in a checkout, `.js` in the package.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const entry = new URL(`./config-evaluator${ending}`, import.meta.url);
  return new Promise((settle) => {
    const thread = new Worker(entry, {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    const timer = setTimeout(() => {
      finish(failed(`found code that took longer than ${evaluateMsMax / 1000} s`));
    }, evaluateMsMax);
    const finish = (result: EvaluatedModule): void => {
      clearTimeout(timer);
      thread.removeAllListeners();
      // What a module may have left running (timers, servers) ends with its thread. The answer must
      // not come before that: a port that the module took would still be taken.
      thread.on('error', () => {});
      void thread.terminate().then(() => settle(result));
    };
    thread.on('message', (answer: EvaluateAnswer) => finish(resultOf(answer, module)));
    thread.on('error', (error) => finish(thrown(error.message, error.stack ?? '', module)));
    thread.on('messageerror', () => finish(failed('found values that are not plain data')));
    thread.on('exit', () => finish(failed('found code that ends its process')));
  });
}

function failed(found: string): EvaluatedModule {
  return { ok: false, found, at: null, path: null };
}

function resultOf(answer: EvaluateAnswer, module: string): EvaluatedModule {
  if (answer.type === 'value') return { ok: true, value: answer.value };
  if (answer.type === 'error') return thrown(answer.message, answer.stack, module);
  return { ok: false, found: `found ${answer.what}`, at: null, path: answer.path };
}

function thrown(message: string, stack: string, module: string): EvaluatedModule {
  const said = (message.split('\n')[0] ?? '').replace(/\p{Cc}/gu, ' ').slice(0, 200);
  return { ok: false, found: `found an error: ${said}`, at: placeIn(stack, module), path: null };
}

/** First mention of the module with a line in a stack; the engine writes URLs or paths. */
function placeIn(stack: string, module: string): { line: number; column: number } | null {
  for (const name of [module, fileURLToPath(module)]) {
    const index = stack.indexOf(`${name}:`);
    if (index < 0) continue;
    const match = /^:(\d+)(?::(\d+))?/.exec(stack.slice(index + name.length));
    if (match !== null) return { line: Number(match[1]), column: Number(match[2] ?? 1) };
  }
  return null;
}
