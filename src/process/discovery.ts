import { Discoverer, type DiscoveryState } from '../control/discovery/discoverer.ts';
import { startSource } from '../control/discovery/sources.ts';
import type { Publisher } from '../control/publish/publisher.ts';
import type { Clock } from '../platform/clock.ts';
import { localConfigFiles } from '../platform/config-files.ts';
import { recordQueries } from '../platform/dns.ts';
import { fileMark } from '../platform/files.ts';
import { httpClient } from '../platform/http-client.ts';
import type { ProcessLog } from './process-log.ts';

/** How long the first snapshot waits for first answers. */
const FIRST_WAIT_MS = 1_000;

/** What discovery works with in a balancer. */
export interface DiscoveryMeans {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: ProcessLog;
}

/** Discovery on this machine's resolver, files and sockets, joined to the publisher. */
export class Discovery {
  readonly discoverer: Discoverer;
  readonly #log: ProcessLog;
  readonly #publisher: Publisher;
  readonly #onPublished: () => void;
  #isServing = false;
  #isDue = false;

  /** `onPublished`: what was found is in force and should outlive this process. */
  constructor(means: DiscoveryMeans, publisher: Publisher, onPublished: () => void) {
    const { clock, random, log } = means;
    this.#log = log;
    this.#publisher = publisher;
    this.#onPublished = onPublished;
    const sourceMeans = {
      clock,
      random,
      dns: recordQueries,
      http: httpClient,
      readFile: localConfigFiles.read,
      fileMark,
    };
    this.discoverer = new Discoverer({
      clock,
      start: (source, sink) => startSource(source, sourceMeans, sink),
      onChange: () => this.#onChange(),
      log: (level, message) => log[level](message),
    });
  }

  /**
   * Before the first publication: starts the sources, with what a balancer before us had found; the
   * publisher has what they found when this resolves.
   */
  async begin(before: DiscoveryState | null): Promise<void> {
    const publisher = this.#publisher;
    const { pools } = publisher.config;
    if (before !== null) this.discoverer.restore(before);
    await this.discoverer.prepare(pools, FIRST_WAIT_MS);
    publisher.begin(this.discoverer.foundFor(pools));
  }

  /** From now on changes are published. */
  serve(): void {
    this.#isServing = true;
    if (this.#isDue) this.#onChange();
  }

  stop(): void {
    this.#isServing = false;
    this.discoverer.stop();
  }

  #onChange(): void {
    this.#isDue = !this.#isServing;
    if (this.#isDue) return;
    const publisher = this.#publisher;
    const outcome = publisher.discover(this.discoverer.foundFor(publisher.config.pools));
    if (outcome.ok) this.#onPublished();
    else this.#log.warn(outcome.problem.message);
  }
}
