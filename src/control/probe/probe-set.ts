import type { DialAddress, Pool, Probe } from '../../model/snapshot.ts';
import type { ProbeMemory } from './health-memory.ts';
import type { ProbeMeans } from './server-probe.ts';
import { ServerProbe } from './server-probe.ts';

/** A server with all of its probes. */
export interface ProbedBySet {
  readonly pool: Pick<Pool, 'name' | 'probes' | 'probeRule'>;
  readonly address: string;
  readonly target: DialAddress | null;
}

/** What a set's owner is told. */
export interface ProbeSetListener {
  /** A probe ended: something about the verdict, the drain or the weight may have changed. */
  onProbed(isPass: boolean): void;
  /** The server took a connection at its own port. */
  onPass(): void;
}

/**
 * All probes of one server and what they say together: `all` of them must pass, or `any`. What an agent
 * says of its own server always counts.
 */
export class ProbeSet {
  readonly #means: ProbeMeans;
  readonly #listener: ProbeSetListener;
  #rule: 'all' | 'any';
  #probes: readonly ServerProbe[] = [];

  /** The first probes begin after `delayMs`. */
  constructor(server: ProbedBySet, means: ProbeMeans, listener: ProbeSetListener, delayMs: number) {
    this.#means = means;
    this.#listener = listener;
    this.#rule = server.pool.probeRule;
    this.#probes = this.#create(server, delayMs);
  }

  /** The probes in written order. */
  get probes(): readonly ServerProbe[] {
    return this.#probes;
  }

  /**
   * Takes over changed settings. Probes of the same types in the same order go on with what they know;
   * others begin anew, and a server that takes traffic goes on doing so until they say otherwise.
   */
  update(server: ProbedBySet): void {
    const { probes, probeRule, name } = server.pool;
    const { address, target } = server;
    this.#rule = probeRule;
    const isAlike =
      probes.length === this.#probes.length &&
      probes.every((probe, index) => probe.type === this.#probes[index]!.probe.type);
    if (isAlike) {
      for (const [index, probe] of probes.entries()) {
        this.#probes[index]!.update({ pool: name, address, target, probe });
      }
      return;
    }
    const startState = this.isUp ? 'up' : 'down';
    this.stop();
    const begun = probes.map((probe): Probe => ({ ...probe, startState }));
    this.#probes = this.#create({ ...server, pool: { ...server.pool, probes: begun } }, 0);
  }

  stop(): void {
    for (const probe of this.#probes) probe.stop();
  }

  /** What another process may take over. */
  get memory(): readonly ProbeMemory[] {
    return this.#probes.map(({ verdict, reason }) => ({ isUp: verdict.isUp, why: reason }));
  }

  /** Takes over what another process knew; false when it had other probes. */
  restore(memory: readonly ProbeMemory[]): boolean {
    if (memory.length !== this.#probes.length) return false;
    for (const [index, { isUp, why }] of memory.entries()) {
      this.#probes[index]!.verdict.restore(isUp, why);
    }
    return true;
  }

  /** Does the server take traffic by its probes? */
  get isUp(): boolean {
    const own = this.#probes.filter(({ agent }) => agent !== null);
    if (own.some(({ verdict }) => !verdict.isUp)) return false;
    const others = this.#probes.filter(({ agent }) => agent === null);
    if (others.length === 0) return true;
    return this.#rule === 'all'
      ? others.every(({ verdict }) => verdict.isUp)
      : others.some(({ verdict }) => verdict.isUp);
  }

  /** Does its agent want no new traffic? */
  get isDraining(): boolean {
    return this.#probes.some(({ agent }) => agent?.isDraining === true);
  }

  /** 0–1: the part of its weight that agents and programs give it, the least of all. */
  get factor(): number {
    return Math.min(1, ...this.#probes.map(({ agent, factor }) => agent?.factor ?? factor));
  }

  /** Why it is up or not, in words: of those probes that decide it. */
  get reason(): string {
    const { isUp } = this;
    const deciding = this.#probes.filter(({ verdict }) => verdict.isUp === isUp);
    const named = this.#probes.length > 1;
    return (deciding.length === 0 ? this.#probes : deciding)
      .map(({ reason, probe }) => (named ? `${labelOf(probe)}: ${reason}` : reason))
      .join('; ');
  }

  #create({ pool, address, target }: ProbedBySet, delayMs: number): ServerProbe[] {
    return pool.probes.map(
      (probe) =>
        new ServerProbe(
          { pool: pool.name, address, target, probe },
          this.#means,
          (isPass) => {
            this.#listener.onProbed(isPass);
            const isServersOwn = probe.port === null && probe.type !== 'exec';
            if (isPass && isServersOwn) this.#listener.onPass();
          },
          delayMs,
        ),
    );
  }
}

/** A probe in short: `http /healthz`, `tcp`, `exec /usr/bin/check`, `agent port 9777`. */
export function labelOf({ type, path, command, port }: Probe): string {
  if (type === 'http') return port === null ? `http ${path}` : `http :${port}${path}`;
  if (type === 'exec') return `exec ${command ?? ''}`;
  return port === null ? type : `${type} port ${port}`;
}

/** Do the probes say that a server is down before they have ended once? */
export function isDownAtStart({ probes, probeRule }: ProbedBySet['pool']): boolean {
  const own = probes.filter(({ type }) => type !== 'agent').map(({ startState }) => startState);
  if (own.length === 0) return false;
  return probeRule === 'all' ? own.includes('down') : !own.includes('up');
}
