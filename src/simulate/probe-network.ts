import type { Clock } from '../platform/clock.ts';
import type { ConnectProbe, ProbeLink, ProbeLinkHandler } from '../platform/probe-link.ts';
import type { RunProgram } from '../platform/run-program.ts';
import type { SimulatedServer } from './server.ts';
import type { SimulatedThread } from './thread.ts';

/** How long a server takes for its health page, which waits for none of its other work. */
const HEALTH_PAGE_US = 1_000;
const PASSED = new TextEncoder().encode(
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok',
);

/** What probes of the simulated control thread go through. */
export function simulatedProbes(
  thread: SimulatedThread,
  delayUs: number,
  serverAt: (host: string) => SimulatedServer | undefined,
): ConnectProbe {
  return (target, handler) => {
    const server = target.kind === 'ip' ? serverAt(target.host) : undefined;
    return new SimulatedProbeLink(thread, delayUs, server, handler);
  };
}

/** Programs of exec probes are not run here: each passes at once. */
export function simulatedPrograms(clock: Clock): RunProgram {
  return (_program, handler) => {
    const timer = clock.after(0, () => {
      handler.onStarted();
      handler.onExit(0, null, 'simulated');
    });
    return () => timer.stop();
  };
}

class SimulatedProbeLink implements ProbeLink {
  readonly #thread: SimulatedThread;
  readonly #delayUs: number;
  readonly #server: SimulatedServer | undefined;
  readonly #handler: ProbeLinkHandler;
  #isOver = false;

  constructor(
    thread: SimulatedThread,
    delayUs: number,
    server: SimulatedServer | undefined,
    handler: ProbeLinkHandler,
  ) {
    this.#thread = thread;
    this.#delayUs = delayUs;
    this.#server = server;
    this.#handler = handler;
    thread.after(2 * delayUs, () => this.#dialled());
  }

  send(_bytes: string): void {
    const server = this.#server;
    const workUs = HEALTH_PAGE_US * (server?.factor ?? 1);
    this.#thread.after(2 * this.#delayUs + workUs, () => {
      if (this.#isOver || server?.state === 'vanish') return;
      if (server?.state === 'up') this.#handler.onBytes(PASSED);
      else this.#fails('ECONNRESET');
    });
  }

  destroy(): void {
    this.#isOver = true;
  }

  #dialled(): void {
    const state = this.#server?.state ?? 'refuse';
    if (this.#isOver || state === 'vanish') return;
    if (state === 'up') this.#handler.onConnected();
    else this.#fails('ECONNREFUSED');
  }

  #fails(code: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.onError(code);
  }
}
