import type { ChannelMessage, DescriptorChannel } from '../platform/descriptor-channel.ts';
import {
  type Announcement,
  type Notice,
  PROTOCOL_VERSION,
  type StoreAnswer,
  type StoredEntry,
  type StoreRequest,
} from './store-protocol.ts';

/** A balancer that gets no answer for so long gives up on its supervisor. */
const ANSWER_MS = 5_000;

/** What the balancer's side needs from outside. */
export interface StoreClientMeans {
  readonly onNotice: (notice: Notice) => void;
  /** The supervisor is gone. */
  readonly onLost: (why: string) => void;
  readonly startTimer: (afterMs: number, onTimer: () => void) => { stop(): void };
}

type Pending = {
  readonly resolve: (answer: [StoreAnswer, readonly number[]]) => void;
  readonly reject: (error: Error) => void;
};

type Question = Omit<StoreRequest, 'version' | 'id'>;

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
    const value = message.value as Partial<StoreAnswer & Notice> | null;
    if (value === null || value.id === undefined) {
      if (value !== null) this.#means.onNotice(value as Notice);
      return;
    }
    const pending = this.#pending.get(value.id);
    if (pending === undefined) return;
    this.#pending.delete(value.id);
    if (value.ok === true) pending.resolve([value as StoreAnswer, message.fds]);
    else pending.reject(new Error(`The supervisor refused: ${value.why ?? 'no reason given'}`));
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

  /** Says what becomes of this balancer, see `Announcement`. `why`: with `failed`. */
  async announce(what: Announcement, why = ''): Promise<void> {
    await this.#ask({ verb: what, why });
  }

  #ask(question: Question, fds: readonly number[] = []): Promise<[StoreAnswer, readonly number[]]> {
    // One question at a time: a full socket is then never met, and answers need no queue.
    const asked = this.#last.then(() => this.#askNow(question, fds));
    this.#last = asked.catch(() => undefined);
    return asked;
  }

  #askNow(question: Question, fds: readonly number[]): Promise<[StoreAnswer, readonly number[]]> {
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
      if (this.#channel?.send({ version: PROTOCOL_VERSION, id, ...question }, fds) === true) return;
      timer.stop();
      this.#pending.delete(id);
      reject(new Error('The supervisor cannot be reached'));
    });
  }
}
