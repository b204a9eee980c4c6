/** One metric with all of its samples, for whoever it is pushed to. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Of counters and gauges. */
  readonly samples: readonly MetricSample[];
  readonly histograms: readonly HistogramSample[];
}

/** One value. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counts per bucket, not summed up; one more than there are bounds. */
export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}
