import { useCompiledCode } from './compiled-code.ts';

// The first lines of a worker thread: nothing else is imported before the cache is on.
useCompiledCode();
const { runWorker } = await import('./worker-main.ts');
await runWorker();
