import type { LiveEvent, TailFilter } from '../../model/live.ts';

/** Takes one event of a stream: its name and its data as JSON. */
export type Send = (event: string, json: string) => void;

/** What those who look may see as it happens. `live` and `tail` give what ends them. */
export interface Watch {
  /** Kept events with greater ids than `after`, oldest first. */
  events(after: number): readonly LiveEvent[];
  live(send: Send): () => void;
  tail(filter: TailFilter, send: Send): () => void;
}
