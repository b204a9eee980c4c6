import type { HistogramSample, MetricFamily, MetricSample } from '../../model/metric-family.ts';

type Labels = Record<string, string>;

interface Building {
  readonly name: string;
  readonly help: string;
  readonly type: MetricFamily['type'];
  readonly samples: MetricSample[];
  /** By their labels without `le`. */
  readonly histograms: Map<string, Gathered>;
}

interface Gathered {
  readonly labels: Labels;
  readonly bounds: number[];
  /** Summed up, as the text has them. */
  readonly totals: number[];
  sum: number;
  count: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/**
 * Reads our own Prometheus text (format 0.0.4) back into families, so that what is pushed is what is scraped, name by
 * name. In steps, a family each. Cost: linear.
 */
export function* readExposition(text: string): Generator<void, MetricFamily[]> {
  const families: MetricFamily[] = [];
  let help = '';
  let family: Building | null = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) {
      help = unescaped(line.slice(line.indexOf(' ', 7) + 1));
    } else if (line.startsWith('# TYPE ')) {
      if (family !== null) families.push(finished(family));
      const [name = '', type = ''] = line.slice(7).split(' ');
      family = { name, help, type: typeOf(type), samples: [], histograms: new Map() };
      yield;
    } else if (line !== '' && family !== null) addLine(family, line);
  }
  if (family !== null) families.push(finished(family));
  return families;
}

function typeOf(type: string): MetricFamily['type'] {
  return type === 'counter' || type === 'histogram' ? type : 'gauge';
}

function addLine(family: Building, line: string): void {
  const match = SAMPLE.exec(line);
  if (match === null) return;
  const [, name = '', labelText = '', valueText = ''] = match;
  const value = Number(valueText);
  const labels: Labels = {};
  for (const [, label = '', text = ''] of labelText.matchAll(LABEL))
    labels[label] = unescaped(text);
  if (family.type !== 'histogram') {
    family.samples.push({ labels, value });
    return;
  }
  const { le = '', ...own } = labels;
  const key = JSON.stringify(own);
  let gathered = family.histograms.get(key);
  if (gathered === undefined) {
    gathered = { labels: own, bounds: [], totals: [], sum: 0, count: 0 };
    family.histograms.set(key, gathered);
  }
  if (name.endsWith('_sum')) gathered.sum = value;
  else if (name.endsWith('_count')) gathered.count = value;
  else {
    if (le !== '+Inf') gathered.bounds.push(Number(le));
    gathered.totals.push(value);
  }
}

function finished({ name, help, type, samples, histograms }: Building): MetricFamily {
  const split = ({ labels, bounds, totals, sum, count }: Gathered): HistogramSample => ({
    labels,
    bounds,
    counts: totals.map((total, at) => total - (totals[at - 1] ?? 0)),
    sum,
    count,
  });
  return { name, help, type, samples, histograms: [...histograms.values()].map(split) };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}
