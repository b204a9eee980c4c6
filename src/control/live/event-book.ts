import { RingBuffer } from '../../base/ring-buffer.ts';
import type { LiveEvent } from '../../model/live.ts';

/** Events kept: an incident with its hours before and after; some 100 KB. */
const eventsMax = 500;

/** What an event is about; `kind` as in `EventKind`. */
export type NewEvent = Omit<LiveEvent, 'id' | 'atMs'>;

/** The last events of the process, for those who come later, and a call for those who look now. */
export class EventBook {
  readonly #wallMs: () => number;
  readonly #events: RingBuffer<LiveEvent> = new RingBuffer<LiveEvent>(eventsMax);
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  #lastId = 0;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** Keeps an event that happens now. */
  note(event: NewEvent): void {
    const kept: LiveEvent = { id: ++this.#lastId, atMs: this.#wallMs(), ...event };
    this.#events.push(kept);
    for (const listener of this.#listeners) listener(kept);
  }

  /** Those with greater ids than `id`, oldest first. */
  after(id: number): readonly LiveEvent[] {
    return this.#events.toArray().filter((event) => event.id > id);
  }

  /** Calls for each event from now on; gives what ends that. */
  follow(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
