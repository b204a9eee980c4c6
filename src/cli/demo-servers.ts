import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A killed server is started again after this: long enough to watch the others take over. */
const restartAfterMs = 10_000;
/** Starts of one server; one that cannot stay up is left alone. */
const startsMax = 1_000;

/** One server of the demo. */
export interface DemoServer {
  readonly name: string;
  readonly port: number;
  pid: number;
}

/** The servers of `evenkeel demo`, each a process, started again some time after it was killed. */
export class DemoServers {
  readonly #children = new Set<ChildProcess>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #note: (text: string) => void;
  #isEnding = false;
  #starts = 0;

  /** `note` gets a line for people when a server is gone or back. */
  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /** Starts a server on a free port. Errors: rejects when it ends before it listens. */
  async start(name: string): Promise<DemoServer> {
    const { port, child } = await this.#spawn(name, 0);
    const server = { name, port, pid: child.pid ?? 0 };
    this.#watch(server, child);
    return server;
  }

  /** Ends all of them. */
  end(): void {
    this.#isEnding = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #spawn(name: string, port: number): Promise<{ port: number; child: ChildProcess }> {
    this.#starts++;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const script = fileURLToPath(new URL(`./demo-server.${extension}`, import.meta.url));
    const child = fork(script, [name, String(port)]);
    this.#children.add(child);
    child.on('exit', () => this.#children.delete(child));
    return new Promise((resolve, reject) => {
      child.once('message', (message) =>
        resolve({ port: (message as { port: number }).port, child }),
      );
      child.once('exit', (code) =>
        reject(new Error(`${name} ended with code ${code} before it listened`)),
      );
    });
  }

  #watch(server: DemoServer, child: ChildProcess): void {
    server.pid = child.pid ?? 0;
    child.once('exit', () => {
      if (this.#isEnding || this.#starts >= startsMax) return;
      this.#note(`${server.name} is gone; it comes back in ${restartAfterMs / 1000} s`);
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#restart(server);
      }, restartAfterMs);
      this.#timers.add(timer);
    });
  }

  #restart(server: DemoServer): void {
    this.#spawn(server.name, server.port).then(
      ({ child }) => {
        this.#watch(server, child);
        this.#note(`${server.name} is back (pid ${server.pid})`);
      },
      (error: unknown) => this.#note(String(error)),
    );
  }
}
