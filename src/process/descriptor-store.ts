import type { ChannelMessage, DescriptorChannel } from '../platform/descriptor-channel.ts';
import {
  type Announcement,
  announcements,
  PROTOCOL_VERSION,
  type StoreAnswer,
  type StoreRequest,
} from './store-protocol.ts';

/** Entries kept: 128 listeners (model/limits) and a few of the balancers' own. */
const ENTRIES_MAX = 192;

interface Entry {
  readonly meta: unknown;
  readonly fds: readonly number[];
}

/** What a balancer announced; to be answered with `reply`. */
export interface Announced {
  readonly what: Announcement;
  readonly id: number;
  readonly why: string;
}

/** An entry as another supervisor program takes it over. */
export interface KeptEntry extends Entry {
  readonly name: string;
}

/**
 * The supervisor's side: keeps copies of descriptors over the life of any balancer.
 *
 * A balancer that is only tried has a draft: what it deposits and drops is seen by itself alone and
 * counts for all when it is taken, or is closed when it is not.
 */
export class DescriptorStore {
  readonly #entries = new Map<string, Entry>();
  /** Changes of a balancer that is tried; null = dropped. */
  readonly #drafts = new Map<DescriptorChannel, Map<string, Entry | null>>();
  readonly #closeDescriptor: (fd: number) => void;

  constructor(closeDescriptor: (fd: number) => void, kept: readonly KeptEntry[] = []) {
    this.#closeDescriptor = closeDescriptor;
    for (const { name, meta, fds } of kept) this.#entries.set(name, { meta, fds });
  }

  /** Names now stored. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** All entries, for another supervisor program. */
  get entries(): readonly KeptEntry[] {
    return [...this.#entries].map(([name, { meta, fds }]) => ({ name, meta, fds }));
  }

  /** What comes over `channel` is a draft from now on. */
  beginDraft(channel: DescriptorChannel): void {
    this.#drafts.set(channel, new Map());
  }

  /** The draft counts for all. */
  takeDraft(channel: DescriptorChannel): void {
    const draft = this.#drafts.get(channel) ?? new Map<string, Entry | null>();
    this.#drafts.delete(channel);
    for (const [name, entry] of draft) {
      this.#closeAll(this.#entries.get(name)?.fds ?? []);
      if (entry === null) this.#entries.delete(name);
      else this.#entries.set(name, entry);
    }
  }

  /** The draft never was. */
  dropDraft(channel: DescriptorChannel): void {
    for (const entry of this.#drafts.get(channel)?.values() ?? []) {
      this.#closeAll(entry?.fds ?? []);
    }
    this.#drafts.delete(channel);
  }

  /**
   * Answers one request on `channel`. What cannot be understood is answered with `ok: false` and
   * its descriptors are closed. Returns what the balancer announced, if it did; that is not yet
   * answered.
   */
  answer(channel: DescriptorChannel, message: ChannelMessage): Announced | null {
    const request = message.value as Partial<StoreRequest> | null;
    const id = typeof request?.id === 'number' ? request.id : -1;
    if (request?.version !== PROTOCOL_VERSION) {
      this.#closeAll(message.fds);
      reply(channel, id, { ok: false, why: `this store speaks version ${PROTOCOL_VERSION}` });
      return null;
    }
    const name = typeof request.name === 'string' ? request.name : '';
    if (request.verb === 'deposit') {
      this.#deposit(channel, id, name, { meta: request.meta, fds: message.fds });
      return null;
    }
    this.#closeAll(message.fds);
    const what = announcements.find((each) => each === request.verb);
    if (what !== undefined) return { what, id, why: String(request.why ?? '') };
    if (request.verb === 'list') {
      const entries = [...this.#seenBy(channel)].map(([key, { meta }]) => ({ name: key, meta }));
      reply(channel, id, { ok: true, entries });
    } else if (request.verb === 'fetch') {
      const entry = this.#seenBy(channel).get(name);
      if (entry === undefined)
        reply(channel, id, { ok: false, why: `nothing is stored as ${name}` });
      else reply(channel, id, { ok: true, meta: entry.meta }, entry.fds);
    } else if (request.verb === 'drop') {
      this.#drop(channel, name);
      reply(channel, id, { ok: true });
    } else reply(channel, id, { ok: false, why: 'unknown verb' });
    return null;
  }

  #seenBy(channel: DescriptorChannel): ReadonlyMap<string, Entry> {
    const draft = this.#drafts.get(channel);
    if (draft === undefined || draft.size === 0) return this.#entries;
    const seen = new Map(this.#entries);
    for (const [name, entry] of draft) {
      if (entry === null) seen.delete(name);
      else seen.set(name, entry);
    }
    return seen;
  }

  #drop(channel: DescriptorChannel, name: string): void {
    const draft = this.#drafts.get(channel);
    const entries = draft ?? this.#entries;
    this.#closeAll(entries.get(name)?.fds ?? []);
    if (draft === undefined) this.#entries.delete(name);
    else draft.set(name, null);
  }

  #deposit(channel: DescriptorChannel, id: number, name: string, entry: Entry): void {
    const entries = this.#drafts.get(channel) ?? this.#entries;
    const seen = this.#seenBy(channel);
    if (!seen.has(name) && seen.size >= ENTRIES_MAX) {
      this.#closeAll(entry.fds);
      reply(channel, id, { ok: false, why: `the store is full: ${ENTRIES_MAX} entries` });
      return;
    }
    const before = entries.get(name);
    entries.set(name, entry);
    this.#closeAll(before?.fds ?? []);
    reply(channel, id, { ok: true });
  }

  #closeAll(fds: readonly number[]): void {
    for (const fd of fds) this.#closeDescriptor(fd);
  }
}

/** Answers a request or an announcement. */
export function reply(
  channel: DescriptorChannel,
  id: number,
  answer: Omit<StoreAnswer, 'version' | 'id'>,
  fds: readonly number[] = [],
): void {
  channel.send({ version: PROTOCOL_VERSION, id, ...answer }, fds);
}
