import type { RunOptions } from './run-options.ts';
import { runSupervisor } from './supervisor.ts';

/* Run by balancer.test.ts: the whole program below the command line, with options as JSON. */
process.exit(await runSupervisor(JSON.parse(process.argv[2] ?? '') as RunOptions));
