/** What the checker leaves of a scenario: durations in µs, shares as ratios. Names are those of its shape. */
export interface CheckedScenario {
  readonly says?: string;
  readonly duration?: number;
  readonly warmUp?: number;
  readonly workers?: number;
  readonly delay?: number;
  readonly policies?: readonly string[];
  readonly servers?: readonly CheckedServers[];
  readonly clients?: CheckedClients;
  readonly events?: readonly CheckedEvent[];
}

/** A time with its distribution. */
export interface CheckedTime {
  readonly mean?: number;
  readonly distribution?: 'constant' | 'exponential' | 'lognormal';
  readonly spread?: number;
}

/** A group of alike servers. */
export interface CheckedServers {
  readonly count?: number;
  readonly weight?: number;
  readonly maxConnections?: number;
  readonly zone?: string;
  readonly concurrency?: number;
  readonly queue?: number;
  readonly service?: CheckedTime;
  readonly errors?: CheckedErrors;
  readonly late?: CheckedLate;
  readonly coldStart?: { readonly factor?: number; readonly for?: number };
  readonly joins?: number;
  readonly leaves?: number;
}

/** Answers that are errors. */
export interface CheckedErrors {
  readonly share?: number;
  readonly status?: number;
}

/** Answers that come late. */
export interface CheckedLate {
  readonly share?: number;
  readonly by?: number;
}

/** Who asks. */
export interface CheckedClients {
  readonly rate?: number;
  readonly users?: number;
  readonly think?: CheckedTime;
  readonly skew?: number;
  readonly timeout?: number;
  readonly retries?: number;
  readonly backoff?: number;
  readonly posts?: number;
}

/** What changes, and when. */
export interface CheckedEvent {
  readonly at?: number;
  readonly servers?: readonly string[];
  readonly zone?: string;
  readonly for?: number;
  readonly every?: number;
  readonly down?: 'refuse' | 'vanish';
  readonly up?: 'again';
  readonly slow?: number;
  readonly late?: CheckedLate;
  readonly errors?: CheckedErrors;
  readonly rate?: number;
  readonly clock?: string;
  readonly stall?: number;
}
