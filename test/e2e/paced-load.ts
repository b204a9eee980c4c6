import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** What came of a paced load. */
export interface PacedReport {
  readonly requests: number;
  /** By status; `0` is no answer. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** Requests not answered with 200. */
  readonly failures: number;
}

/**
 * GETs at a moderate pace, so that a test says something about the balancer and not about the load: each of
 * `links` asks, waits for the answer, pauses.
 */
export class PacedLoad {
  readonly #port: number;
  readonly #pauseMs: number;
  readonly #agent: Agent;
  readonly #byStatus: Record<string, number> = {};
  readonly #loops: Promise<void>[] = [];
  #requests = 0;
  #isStopping = false;

  constructor(options: {
    readonly port: number;
    readonly links: number;
    readonly pauseMs: number;
  }) {
    this.#port = options.port;
    this.#pauseMs = options.pauseMs;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.links });
    for (let link = 0; link < options.links; link++) this.#loops.push(this.#run());
  }

  /** What came of it so far. */
  get report(): PacedReport {
    const good = this.#byStatus['200'] ?? 0;
    const byStatus = { ...this.#byStatus };
    return { requests: this.#requests, byStatus, failures: this.#requests - good };
  }

  /** Ends after the requests in flight. */
  async stop(): Promise<PacedReport> {
    this.#isStopping = true;
    await Promise.all(this.#loops);
    this.#agent.destroy();
    return this.report;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const status = String(await this.#ask());
      this.#requests++;
      this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1;
      await pause(this.#pauseMs);
    }
  }

  #ask(): Promise<number> {
    return new Promise((resolve) => {
      const outgoing = request(
        { host: '127.0.0.1', port: this.#port, path: '/', agent: this.#agent, timeout: 15_000 },
        (answer) => {
          answer.resume();
          answer.on('end', () => resolve(answer.statusCode ?? 0));
          answer.on('error', () => resolve(0));
        },
      );
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', () => resolve(0));
      outgoing.end();
    });
  }
}
