import type { DialAddress } from '../../model/snapshot.ts';
import type { Clock, RunningTimer } from '../../platform/clock.ts';
import { parseServerAddress } from '../config/address.ts';

/** What the resolver needs of the outside. */
export interface ResolverMeans {
  readonly clock: Clock;
  /** Asks for a name: at least one numeric address with its time to live, or a rejection. */
  readonly ask: (
    host: string,
  ) => Promise<{ readonly addresses: readonly string[]; readonly ttlMs: number }>;
  /** Some name's address changed: a new snapshot is due. */
  readonly onChange: () => void;
  readonly report: (message: string) => void;
}

type ParsedAddress = NonNullable<ReturnType<typeof parseServerAddress>>;

interface Name {
  readonly host: string;
  /** Last good answer; null before the first. */
  address: string | null;
  failures: number;
  isAsking: boolean;
  timer: RunningTimer | null;
  isSettled: boolean;
}

/** A TTL of 0 asks for every use; a very long one would keep us from a change for hours. */
const TTL_MS_MIN = 1_000;
const TTL_MS_MAX = 300_000;
/** After a failure: 1 s, doubling to 30 s. */
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 30_000;

/**
 * Keeps the names in use resolved. The last good answer stays in force while DNS is down; a name
 * that never had one gives null, which is a server that is down. An address that is still among the
 * answers is kept, so that rotating answers move no traffic.
 */
export class NameResolver {
  readonly #means: ResolverMeans;
  readonly #names = new Map<string, Name>();
  /** Of the addresses in use: thousands are asked for by every publication. */
  #parsed = new Map<string, ParsedAddress>();
  /** Last good answers of another process, for the time until our own. */
  readonly #remembered = new Map<string, string>();
  #onSettled: (() => void)[] = [];

  constructor(means: ResolverMeans) {
    this.#means = means;
  }

  /** Where to dial an address as written; null while its name is unresolved. Cost: a look-up for addresses in use, else a parse. */
  resolve(address: string): DialAddress | null {
    const parsed = this.#parsed.get(address) ?? parseServerAddress(address);
    if (parsed === null) return null;
    if (parsed.kind !== 'name') return parsed;
    const found = this.#names.get(parsed.host)?.address ?? null;
    return found === null ? null : { kind: 'ip', host: found, port: parsed.port };
  }

  /** Last good answers by name: plain data for another process. */
  get memory(): Readonly<Record<string, string>> {
    const known = [...this.#names].filter(([, { address }]) => address !== null);
    return Object.fromEntries(known.map(([host, { address }]) => [host, address as string]));
  }

  /** Takes over what another process knew; names in use already are left as they are. */
  remember(memory: Readonly<Record<string, string>>): void {
    for (const [host, address] of Object.entries(memory)) this.#remembered.set(host, address);
    for (const [host, name] of this.#names) name.address ??= this.#remembered.get(host) ?? null;
  }

  /** Exactly these server addresses are in use: asks for names that are new, forgets the others. */
  track(addresses: Iterable<string>): void {
    const wanted = new Set<string>();
    const inUse = new Map<string, ParsedAddress>();
    for (const address of addresses) {
      const parsed = this.#parsed.get(address) ?? parseServerAddress(address);
      if (parsed !== null) inUse.set(address, parsed);
      if (parsed?.kind === 'name') wanted.add(parsed.host);
    }
    this.#parsed = inUse;
    for (const [host, name] of this.#names) {
      if (wanted.has(host)) continue;
      name.timer?.stop();
      this.#names.delete(host);
    }
    for (const host of wanted) {
      if (this.#names.has(host)) continue;
      const name: Name = {
        host,
        address: this.#remembered.get(host) ?? null,
        failures: 0,
        isAsking: false,
        timer: null,
        isSettled: false,
      };
      this.#names.set(host, name);
      this.#ask(name);
    }
    this.#tellSettled();
  }

  /**
   * Resolves when every name in use got its first answer or failure, at latest after `atMostMs`.
   */
  settled(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#means.clock.after(atMostMs, resolve);
      this.#onSettled.push(() => {
        timer.stop();
        resolve();
      });
      this.#tellSettled();
    });
  }

  stop(): void {
    for (const name of this.#names.values()) name.timer?.stop();
    this.#names.clear();
  }

  #tellSettled(): void {
    for (const name of this.#names.values()) if (!name.isSettled) return;
    const tell = this.#onSettled;
    this.#onSettled = [];
    for (const each of tell) each();
  }

  #ask(name: Name): void {
    if (name.isAsking) return;
    name.isAsking = true;
    this.#means
      .ask(name.host)
      .then((answer) => this.#onAnswer(name, answer.addresses, answer.ttlMs))
      .catch((error: unknown) => this.#onFailure(name, error));
  }

  #onAnswer(name: Name, addresses: readonly string[], ttlMs: number): void {
    const [first] = addresses;
    if (first === undefined) {
      this.#onFailure(name, new Error('no address'));
      return;
    }
    const isNews = name.address === null || !addresses.includes(name.address);
    if (isNews) name.address = first;
    if (name.failures > 0) this.#means.report(`The name ${name.host} is resolved again: ${first}`);
    name.failures = 0;
    this.#after(name, Math.min(Math.max(ttlMs, TTL_MS_MIN), TTL_MS_MAX));
    if (isNews && this.#names.get(name.host) === name) this.#means.onChange();
    this.#tellSettled();
  }

  #onFailure(name: Name, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (name.failures === 0) {
      const kept = name.address === null ? 'its servers are down' : `${name.address} stays in use`;
      this.#means.report(`Cannot resolve the name ${name.host}: ${why}; ${kept}`);
    }
    this.#after(name, Math.min(RETRY_MS * 2 ** Math.min(name.failures, 8), RETRY_MS_MAX));
    name.failures++;
    this.#tellSettled();
  }

  #after(name: Name, delayMs: number): void {
    name.isAsking = false;
    name.isSettled = true;
    if (this.#names.get(name.host) !== name) return;
    name.timer = this.#means.clock.after(delayMs, () => this.#ask(name));
  }
}
