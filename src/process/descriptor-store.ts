import type { ChannelMessage, DescriptorChannel } from '../platform/descriptor-channel.ts';

/**
 * Version of the words below. Another one is answered with `ok: false`, so that both ends can tell.
 */
const PROTOCOL_VERSION = 1;
/** Entries kept: 128 listeners (model/limits) and a few of the balancer's own. */
const ENTRIES_MAX = 160;
/** A balancer that gets no answer for so long gives up on its supervisor. */
const ANSWER_MS = 5_000;

/** What is stored under a name: descriptors and what the balancer wrote beside them. */
export interface StoredEntry {
  readonly name: string;
  readonly meta: unknown;
}

/** `running`: it takes traffic. `ending`: its next end is meant, whatever the exit code. */
export type Announcement = 'running' | 'ending';

interface Request {
  readonly version: number;
  readonly id: number;
  readonly verb: 'list' | 'fetch' | 'deposit' | 'drop' | Announcement;
  readonly name?: string;
  readonly meta?: unknown;
}

interface Answer {
  readonly version: number;
  readonly id: number;
  readonly ok: boolean;
  readonly entries?: readonly StoredEntry[];
  readonly meta?: unknown;
  readonly why?: string;
}

/** Supervisor → balancer, unasked: a signal that the supervisor got. */
interface Notice {
  readonly version: number;
  readonly signal: NodeJS.Signals;
}

/** The supervisor's side: keeps copies of descriptors over the life of any balancer. */
export class DescriptorStore {
  readonly #entries = new Map<
    string,
    { readonly meta: unknown; readonly fds: readonly number[] }
  >();
  readonly #closeDescriptor: (fd: number) => void;

  constructor(closeDescriptor: (fd: number) => void) {
    this.#closeDescriptor = closeDescriptor;
  }

  /** Names now stored. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * Answers one request on `channel`. What cannot be understood is answered with `ok: false` and
   * its descriptors are closed. Returns what the balancer announced, if it did.
   */
  answer(channel: DescriptorChannel, message: ChannelMessage): Announcement | null {
    const request = message.value as Partial<Request> | null;
    const id = typeof request?.id === 'number' ? request.id : -1;
    if (request?.version !== PROTOCOL_VERSION) {
      this.#closeAll(message.fds);
      reply(channel, id, { ok: false, why: `this store speaks version ${PROTOCOL_VERSION}` });
      return null;
    }
    const name = typeof request.name === 'string' ? request.name : '';
    if (request.verb === 'deposit')
      return this.#deposit(channel, id, name, request.meta, message.fds);
    this.#closeAll(message.fds);
    if (request.verb === 'list') {
      const entries = [...this.#entries].map(([key, entry]) => ({ name: key, meta: entry.meta }));
      reply(channel, id, { ok: true, entries });
    } else if (request.verb === 'fetch') {
      const entry = this.#entries.get(name);
      if (entry === undefined)
        reply(channel, id, { ok: false, why: `nothing is stored as ${name}` });
      else reply(channel, id, { ok: true, meta: entry.meta }, entry.fds);
    } else if (request.verb === 'drop') {
      this.#closeAll(this.#entries.get(name)?.fds ?? []);
      this.#entries.delete(name);
      reply(channel, id, { ok: true });
    } else {
      const isKnown = request.verb === 'running' || request.verb === 'ending';
      reply(channel, id, isKnown ? { ok: true } : { ok: false, why: 'unknown verb' });
      return isKnown ? (request.verb as Announcement) : null;
    }
    return null;
  }

  #deposit(
    channel: DescriptorChannel,
    id: number,
    name: string,
    meta: unknown,
    fds: readonly number[],
  ): null {
    const before = this.#entries.get(name);
    if (before === undefined && this.#entries.size >= ENTRIES_MAX) {
      this.#closeAll(fds);
      reply(channel, id, { ok: false, why: `the store is full: ${ENTRIES_MAX} entries` });
      return null;
    }
    this.#entries.set(name, { meta, fds });
    this.#closeAll(before?.fds ?? []);
    reply(channel, id, { ok: true });
    return null;
  }

  #closeAll(fds: readonly number[]): void {
    for (const fd of fds) this.#closeDescriptor(fd);
  }
}

function reply(
  channel: DescriptorChannel,
  id: number,
  answer: Omit<Answer, 'version' | 'id'>,
  fds: readonly number[] = [],
): void {
  channel.send({ version: PROTOCOL_VERSION, id, ...answer }, fds);
}

/**
 * Tells the balancer of a signal. Sent as a message, so that it is told apart from one sent
 * directly.
 */
export function forwardSignal(channel: DescriptorChannel, signal: NodeJS.Signals): boolean {
  const notice: Notice = { version: PROTOCOL_VERSION, signal };
  return channel.send(notice);
}

/** What the balancer's side needs from outside. */
export interface StoreClientMeans {
  readonly onSignal: (signal: NodeJS.Signals) => void;
  /** The supervisor is gone. */
  readonly onLost: (why: string) => void;
  readonly startTimer: (afterMs: number, onTimer: () => void) => { stop(): void };
}

type Pending = {
  readonly resolve: (answer: [Answer, readonly number[]]) => void;
  readonly reject: (error: Error) => void;
};

/**
 * The balancer's side: asks one thing at a time, in order. Errors: a promise rejects when the
 * supervisor is gone, does not answer in time or refuses.
 */
export class StoreClient {
  readonly #means: StoreClientMeans;
  readonly #pending = new Map<number, Pending>();
  #channel: DescriptorChannel | null = null;
  #nextId = 1;
  #last: Promise<unknown> = Promise.resolve();

  constructor(means: StoreClientMeans) {
    this.#means = means;
  }

  /** Takes the channel whose handler forwards to `receive` and `lost`. */
  attach(channel: DescriptorChannel): void {
    this.#channel = channel;
  }

  /** Handler of the channel: an answer or a notice. */
  receive(message: ChannelMessage): void {
    const value = message.value as Partial<Answer & Notice> | null;
    if (typeof value?.signal === 'string') {
      this.#means.onSignal(value.signal);
      return;
    }
    const pending = this.#pending.get(value?.id ?? -1);
    if (pending === undefined) return;
    this.#pending.delete(value?.id as number);
    if (value?.ok === true) pending.resolve([value as Answer, message.fds]);
    else pending.reject(new Error(`The supervisor refused: ${value?.why ?? 'no reason given'}`));
  }

  /** Handler of the channel: the supervisor is gone. */
  lost(why: string): void {
    for (const pending of this.#pending.values())
      pending.reject(new Error(`The supervisor is gone: ${why}`));
    this.#pending.clear();
    this.#means.onLost(why);
  }

  /** All names with what was written beside them. */
  async list(): Promise<readonly StoredEntry[]> {
    const [answer] = await this.#ask({ verb: 'list' });
    return answer.entries ?? [];
  }

  /** Copies of the stored descriptors, ours to close. */
  async fetch(name: string): Promise<readonly number[]> {
    const [, fds] = await this.#ask({ verb: 'fetch', name });
    return fds;
  }

  /** Stores copies of `fds`; an entry of that name is replaced. */
  async deposit(name: string, fds: readonly number[], meta: unknown): Promise<void> {
    await this.#ask({ verb: 'deposit', name, meta }, fds);
  }

  /** Closes and forgets the stored copies. */
  async drop(name: string): Promise<void> {
    await this.#ask({ verb: 'drop', name });
  }

  /**
   * Tells the supervisor that traffic is taken (later ends are crashes), or that the end is meant.
   */
  async announce(what: Announcement): Promise<void> {
    await this.#ask({ verb: what });
  }

  #ask(
    request: Omit<Request, 'version' | 'id'>,
    fds: readonly number[] = [],
  ): Promise<[Answer, readonly number[]]> {
    // One question at a time: a full socket is then never met, and answers need no queue.
    const asked = this.#last.then(() => this.#askNow(request, fds));
    this.#last = asked.catch(() => undefined);
    return asked;
  }

  #askNow(
    request: Omit<Request, 'version' | 'id'>,
    fds: readonly number[],
  ): Promise<[Answer, readonly number[]]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = this.#means.startTimer(ANSWER_MS, () => {
        this.#pending.delete(id);
        reject(new Error(`The supervisor did not answer for ${ANSWER_MS} ms`));
      });
      this.#pending.set(id, {
        resolve: (answer) => {
          timer.stop();
          resolve(answer);
        },
        reject: (error) => {
          timer.stop();
          reject(error);
        },
      });
      if (this.#channel?.send({ version: PROTOCOL_VERSION, id, ...request }, fds) === true) return;
      timer.stop();
      this.#pending.delete(id);
      reject(new Error('The supervisor cannot be reached'));
    });
  }
}
