import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { root } from './harness.ts';
import { within } from './waiting.ts';

/** A server in a process of its own. */
export interface Origin {
  readonly name: string;
  readonly port: number;
  readonly address: string;
  readonly child: ChildProcess;
  /** SIGKILL, resolved when it is gone. */
  kill(): Promise<void>;
}

/** Starts `origin.ts` on `port` (0 = any); it is killed when the test ends. */
export async function startOrigin(
  test: Pick<TestContext, 'after'>,
  options: { readonly name: string; readonly port?: number; readonly keepAliveMs?: number },
): Promise<Origin> {
  const words = JSON.stringify({ port: 0, ...options });
  const child = spawn(process.execPath, [join(root, 'test/e2e/origin.ts'), words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  test.after(kill);
  const port = await within(
    `origin ${options.name}`,
    15_000,
    new Promise<number>((resolve, reject) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        const match = /ready (\d+)\n/.exec(text);
        if (match !== null) resolve(Number(match[1]));
      });
      void gone.then(() => reject(new Error(`origin ${options.name} ended: ${text}`)));
    }),
  );
  return { name: options.name, port, address: `127.0.0.1:${port}`, child, kill };
}

/** Several at once, named a, b, c … */
export function startOrigins(test: Pick<TestContext, 'after'>, count: number): Promise<Origin[]> {
  const names = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  return Promise.all(names.map((name) => startOrigin(test, { name })));
}
