import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** What looking at a module of the user's gave. */
export type InspectedModule =
  | {
      readonly ok: true;
      /** Members of its default export with their types; null when it is no object. */
      readonly members: readonly (readonly [name: string, type: string])[] | null;
      /** Files that it is made of, itself among them, without packages. */
      readonly files: readonly string[];
      /** Changes with the contents of these files. */
      readonly version: string;
    }
  | {
      readonly ok: false;
      readonly found: string;
      /** `path:line:column` where the fault is, or the path alone. */
      readonly where: string;
    };

/** What the inspecting thread is started with (`workerData`). */
export interface InspectOrder {
  readonly module: string;
  readonly library: string;
}

/** What the inspecting thread answers. */
export type InspectAnswer =
  | {
      readonly type: 'module';
      readonly members: readonly (readonly [string, string])[] | null;
      readonly files: readonly string[];
      readonly version: string;
    }
  | {
      readonly type: 'error';
      readonly message: string;
      readonly stack: string;
      readonly files: readonly string[];
    };

/** A module whose top level takes longer waits for something it should not wait for. */
const inspectMsMax = 10_000;

/**
 * Imports a module in a thread of its own, with all it imports, to see whether it can be used. `path` is
 * absolute; `library` is what `evenkeel` is there. Errors: never throws for what the module does.
 */
export function inspectModule(path: string, library: URL): Promise<InspectedModule> {
  const module = pathToFileURL(path).href;
  const order: InspectOrder = { module, library: library.href };
  // `.ts` in a checkout, `.js` in the package.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const entry = new URL(`./module-inspector${ending}`, import.meta.url);
  return new Promise((settle) => {
    const thread = new Worker(entry, {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    const finish = (result: InspectedModule): void => {
      clearTimeout(timer);
      thread.removeAllListeners();
      thread.on('error', () => {});
      void thread.terminate().then(() => settle(result));
    };
    const failed = (found: string): void => finish({ ok: false, found, where: path });
    const timer = setTimeout(
      () => failed(`found code that took longer than ${inspectMsMax / 1000} s`),
      inspectMsMax,
    );
    thread.on('message', (answer: InspectAnswer) => finish(resultOf(answer, path)));
    thread.on('error', (error: Error) => {
      finish(faultOf(error.message, error.stack ?? '', [module], path));
    });
    thread.on('exit', () => failed('found code that ends its process'));
  });
}

function resultOf(answer: InspectAnswer, path: string): InspectedModule {
  if (answer.type === 'error') return faultOf(answer.message, answer.stack, answer.files, path);
  const { members, version } = answer;
  return { ok: true, members, version, files: answer.files.map((url) => fileURLToPath(url)) };
}

/** The first place in the stack that lies in one of the module's own files. */
function faultOf(
  message: string,
  stack: string,
  files: readonly string[],
  path: string,
): InspectedModule {
  const said = (message.split('\n')[0] ?? '').replace(/\p{Cc}/gu, ' ').slice(0, 200);
  const names = files.flatMap((url) => [url, fileURLToPath(url)]);
  let where = path;
  let first = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const at = stack.indexOf(`${name}:`);
    const place = /^:\d+(?::\d+)?/.exec(at < 0 ? '' : stack.slice(at + name.length));
    if (place === null || at >= first) continue;
    first = at;
    where = (name.startsWith('file:') ? fileURLToPath(name) : name) + place[0];
  }
  return { ok: false, found: `found an error: ${said}`, where };
}

/** A module as it is asked for: the same path with another version is imported anew. */
export interface UserModule {
  readonly path: string;
  readonly version: string;
}

const VERSION_MARK = 'evenkeel-version=';

/** Modules of the user's functions that this thread has imported. */
export class UserModules {
  readonly #library: URL;
  readonly #report: (what: string) => void;
  readonly #exports = new Map<string, unknown>();
  #isHooked = false;

  /** `library`: what `import … from 'evenkeel'` is there. `report`: of modules that cannot be imported. */
  constructor(library: URL, report: (what: string) => void) {
    this.#library = library;
    this.#report = report;
  }

  /** True when all of these have been imported or tried. */
  hasAll(modules: readonly UserModule[]): boolean {
    return modules.every((module) => this.#exports.has(keyOf(module)));
  }

  /** Imports what is not there yet. Never rejects: a module that fails has no exports. */
  async load(modules: readonly UserModule[]): Promise<void> {
    for (const module of modules) {
      const key = keyOf(module);
      if (this.#exports.has(key)) continue;
      this.#hook();
      try {
        const exports: { default?: unknown } = await import(key);
        this.#exports.set(key, exports.default ?? null);
      } catch (error) {
        this.#exports.set(key, null);
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#report(`${module.path} cannot be imported: ${why.slice(0, 2000)}`);
      }
    }
  }

  /** The default export of a module that was loaded, or null. */
  exportOf(module: UserModule): unknown {
    return this.#exports.get(keyOf(module)) ?? null;
  }

  /** Did this error come out of a module of the user's? */
  isTheirs(error: unknown): boolean {
    return error instanceof Error && (error.stack ?? '').includes(VERSION_MARK);
  }

  /** What a versioned module imports from beside it is imported in the same version. */
  #hook(): void {
    if (this.#isHooked) return;
    this.#isHooked = true;
    const library = this.#library.href;
    registerHooks({
      resolve(specifier, context, nextResolve) {
        const parent = context.parentURL ?? '';
        const at = parent.indexOf(VERSION_MARK);
        if (at < 0) return nextResolve(specifier, context);
        if (specifier === 'evenkeel') return { url: library, shortCircuit: true };
        const found = nextResolve(specifier, context);
        const isTheirs = found.url.startsWith('file:') && !found.url.includes('/node_modules/');
        if (!isTheirs || found.url.includes(VERSION_MARK)) return found;
        const mark = `${found.url.includes('?') ? '&' : '?'}${parent.slice(at)}`;
        return { ...found, url: found.url + mark };
      },
    });
  }
}

function keyOf({ path, version }: UserModule): string {
  return `${pathToFileURL(path).href}?${VERSION_MARK}${version}`;
}
