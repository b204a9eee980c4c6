import { useCompiledCode } from './compiled-code.ts';

// The first lines of the thread: nothing else is imported before the cache is on.
useCompiledCode();
const { keepHistory } = await import('./history-thread.ts');
keepHistory();
