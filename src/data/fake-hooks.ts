import type { HookModule, Hooks } from '../model/hooks.ts';
import { fakeSnapshot } from './fake-plane.ts';
import { FakeRun } from './fake-run.ts';

/** A module whose failures end the exchange. */
export const refusing: HookModule = {
  path: '/etc/hooks.ts',
  version: '1',
  timeoutMs: 1000,
  onFailure: 'refuse',
};

/** Two servers in pool `p`, one in pool `other`; hooks on the only route. */
export function runWith(hooks: Hooks, module: HookModule = refusing): FakeRun {
  const [pool] = fakeSnapshot(3).pools;
  const { servers } = pool!;
  const pools = [
    { ...pool!, servers: servers.slice(0, 2) },
    { ...pool!, slot: 1, name: 'other', servers: servers.slice(2) },
  ];
  return new FakeRun(2, { hooks: module, pools }, undefined, hooks);
}

/** A promise that a test settles. */
export function later<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
} {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  return { promise, resolve, reject };
}

/** Lets promises and what follows them run, then what the driver has to tell. */
export async function settle(run: FakeRun): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  run.fake.driver.settle();
}

/** Lines about failing hooks. */
export function faults(run: FakeRun): string[] {
  return run.fake.messages.flatMap((one) => (one.type === 'hook-fault' ? [one.what] : []));
}
