/** A change of health, for people who look at many. */
export interface HealthEvent {
  readonly kind: 'health' | 'ejection' | 'drain' | 'pool';
  readonly pool: string;
  /** Null: the pool as a whole. */
  readonly server: string | null;
  /** The log line without the names. */
  readonly text: string;
}

/** The process log: one line per change, and what it is about where that is a change of health. */
export type HealthLog = (level: 'info' | 'warn', message: string, about?: HealthEvent) => void;

/** Logs what became of a server. */
export function tellServer(
  log: HealthLog,
  level: 'info' | 'warn',
  kind: HealthEvent['kind'],
  { pool, address }: { readonly pool: string; readonly address: string },
  text: string,
): void {
  log(level, `pool ${pool}, server ${address}: ${text}`, { kind, pool, server: address, text });
}

/** Logs what became of a pool as a whole. */
export function tellPool(log: HealthLog, level: 'info' | 'warn', pool: string, text: string): void {
  log(level, `pool ${pool}: ${text}`, { kind: 'pool', pool, server: null, text });
}
