import { bucketMid, histogramBuckets } from '../../base/histogram.ts';

/** How the text is written: Prometheus text 0.0.4, or OpenMetrics 1.0, which has exemplars. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

/** One label of a sample. */
export type Labels = Readonly<Record<string, string | number>>;

/** Upper bounds of the exported buckets, in seconds. The 896 of shared memory would be too many series. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const plainBounds: readonly string[] = [...bounds.map(String), '+Inf'];
/** OpenMetrics wants the canonical form of floats. */
const openBounds: readonly string[] = plainBounds.map((bound) =>
  /^\d+$/.test(bound) ? `${bound}.0` : bound,
);

/** Middles of the buckets of shared memory, in µs. */
const middles: Float64Array = Float64Array.from({ length: histogramBuckets }, (_, bucket) =>
  bucketMid(bucket),
);
/** Which of `bounds` takes a bucket of shared memory: the first not below the bucket's middle. */
const boundOf: Uint8Array = Uint8Array.from(middles, (middleUs) => {
  const bound = bounds.findIndex((seconds) => middleUs <= seconds * 1e6);
  return bound < 0 ? bounds.length : bound;
});

/** A recent slow sample of a histogram. */
export interface Exemplar {
  readonly labels: Labels;
  readonly seconds: number;
  /** Epoch seconds. */
  readonly atSeconds: number;
}

/** Labels as they stand in a line, made once for all samples of an owner. */
export type LabelText = string & { readonly isLabelText: true };

/** `a="x",b="y"`, escaped. */
export function labelText(labels: Labels): LabelText {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.join(',') as LabelText;
}

const NO_LABELS = labelText({});

/**
 * One metric with its samples, whatever the order of owners they come in: in the text all samples of
 * a metric stand together.
 */
export class Family {
  readonly #name: string;
  #lines = '';
  readonly #isOpen: boolean;
  readonly #head: string;

  constructor(format: ExpositionFormat, type: FamilyType, name: string, help: string) {
    this.#isOpen = format === 'openmetrics';
    this.#name = name;
    // OpenMetrics calls a counter by its name without the suffix of its samples.
    const family = this.#isOpen && type === 'counter' ? name.replace(/_total$/, '') : name;
    const said = escapedHelp(help, this.#isOpen);
    this.#head = `# HELP ${family} ${said}\n# TYPE ${family} ${type}\n`;
  }

  /** One sample of a counter or a gauge. */
  add(value: number, labels: LabelText = NO_LABELS): void {
    this.#lines +=
      labels === '' ? `${this.#name} ${value}\n` : `${this.#name}{${labels}} ${value}\n`;
  }

  /**
   * The samples of one histogram: cells of base/histogram in µs, as seconds in classic buckets. A cell
   * belongs where its middle lies. Nothing for one without a sample. Cost: one walk over the cells.
   */
  addHistogram(cells: Float64Array, labels: LabelText, exemplars: readonly Exemplar[] = []): void {
    const counts = new Float64Array(bounds.length + 1);
    let sumUs = 0;
    for (let bucket = 0; bucket < histogramBuckets; bucket++) {
      const count = cells[bucket]!;
      if (count === 0) continue;
      counts[boundOf[bucket]!]! += count;
      sumUs += count * middles[bucket]!;
    }
    if (sumUs === 0 && cells[0] === 0) return;
    const name = this.#name;
    const texts = this.#isOpen ? openBounds : plainBounds;
    let total = 0;
    for (let bound = 0; bound <= bounds.length; bound++) {
      total += counts[bound]!;
      const exemplar = this.#isOpen ? exemplarIn(exemplars, bound) : '';
      this.#lines += `${name}_bucket{${labels},le="${texts[bound]}"} ${total}${exemplar}\n`;
    }
    this.#lines += `${name}_sum{${labels}} ${sumUs / 1e6}\n${name}_count{${labels}} ${total}\n`;
  }

  /** The whole block; empty without samples. */
  text(): string {
    return this.#lines === '' ? '' : this.#head + this.#lines;
  }
}

type FamilyType = 'counter' | 'gauge' | 'histogram';

/**
 * All families of one answer, in the order in which they were first asked for.
 * Source: prometheus.io/docs/instrumenting/exposition_formats, prometheus.io/docs/specs/om/open_metrics_spec.
 */
export class Exposition {
  readonly #format: ExpositionFormat;
  readonly #families = new Map<string, Family>();

  constructor(format: ExpositionFormat) {
    this.#format = format;
  }

  counter(name: string, help: string): Family {
    return this.#family('counter', name, help);
  }

  gauge(name: string, help: string): Family {
    return this.#family('gauge', name, help);
  }

  histogram(name: string, help: string): Family {
    return this.#family('histogram', name, help);
  }

  /** The whole text. */
  text(): string {
    const end = this.#format === 'openmetrics' ? '# EOF\n' : '';
    return [...this.#families.values()].map((family) => family.text()).join('') + end;
  }

  #family(type: FamilyType, name: string, help: string): Family {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = new Family(this.#format, type, name, help);
      this.#families.set(name, family);
    }
    return family;
  }
}

/** The bucket that a time lies in: a number for `Exemplars`. */
export function boundFor(seconds: number): number {
  const bound = bounds.findIndex((limit) => seconds <= limit);
  return bound < 0 ? bounds.length : bound;
}

/** ` # {request_id="…"} 0.25 1790000000.000`: the last exemplar that lies within the bound; '' for none. */
function exemplarIn(exemplars: readonly Exemplar[], bound: number): string {
  const above = bound === 0 ? 0 : bounds[bound - 1]!;
  const found = exemplars.findLast(
    ({ seconds }) => seconds > above && seconds <= (bounds[bound] ?? Number.POSITIVE_INFINITY),
  );
  if (found === undefined) return '';
  const { labels, seconds, atSeconds } = found;
  return ` # {${labelText(labels)}} ${seconds} ${atSeconds}`;
}

function escapedHelp(help: string, isOpen: boolean): string {
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return isOpen ? text.replaceAll('"', '\\"') : text;
}

function escaped(value: string | number): string {
  return String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
