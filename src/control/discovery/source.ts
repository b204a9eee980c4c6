import type { Clock } from '../../platform/clock.ts';
import type { ConfigFiles } from '../../platform/config-files.ts';
import type { RecordQueries } from '../../platform/dns.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import type { ConfigServer } from '../config/config.ts';

/** Where a source tells what it learns. A source may tell by being asked or whenever it is told itself. */
export interface SourceSink {
  /** A whole answer: exactly these servers are there now. */
  found(servers: readonly ConfigServer[]): void;
  /** An answer that nothing has changed since the last one. */
  same(): void;
  /** No answer; what was found last stays in use. `why` ends a sentence. */
  failed(why: string): void;
}

/** A source at work. It tells nothing more after `stop`. */
export interface RunningSource {
  stop(): void;
}

/** What sources need of the outside. */
export interface SourceMeans {
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly dns: RecordQueries;
  readonly http: HttpClient;
  readonly readFile: ConfigFiles['read'];
  /** `fileMark` of platform/files.ts. */
  readonly fileMark: (path: string) => Promise<string | null>;
}

/**
 * Sets a source to work. It goes on by itself until it is stopped, failures included, and puts its own
 * limits on how often it asks. Errors: never throws; what goes wrong is told to the sink.
 */
export type StartSource<Source> = (
  source: Source,
  means: SourceMeans,
  sink: SourceSink,
) => RunningSource;
