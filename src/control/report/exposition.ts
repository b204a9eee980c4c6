/** One label of a sample. */
export type Labels = Readonly<Record<string, string | number>>;

/**
 * Collects samples and writes them in the Prometheus text format, version 0.0.4: all samples of a
 * metric together, behind its HELP and TYPE, whatever the order they came in.
 * Source: prometheus.io/docs/instrumenting/exposition_formats.
 */
export class Exposition {
  readonly #metrics = new Map<string, string[]>();

  counter(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#samples(name, help, 'counter').push(sample(name, labels, value));
  }

  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#samples(name, help, 'gauge').push(sample(name, labels, value));
  }

  /** `cumulative[i]`: samples up to `bounds[i]`. */
  histogram(name: string, help: string, shape: HistogramShape, labels: Labels = {}): void {
    const samples = this.#samples(name, help, 'histogram');
    shape.bounds.forEach((bound, index) => {
      samples.push(
        sample(`${name}_bucket`, { ...labels, le: bound }, shape.cumulative[index] ?? 0),
      );
    });
    samples.push(
      sample(`${name}_bucket`, { ...labels, le: '+Inf' }, shape.count),
      sample(`${name}_sum`, labels, shape.sum),
      sample(`${name}_count`, labels, shape.count),
    );
  }

  /** The whole text, ended by LF. */
  text(): string {
    return `${[...this.#metrics.values()].map((lines) => lines.join('\n')).join('\n')}\n`;
  }

  #samples(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): string[] {
    const known = this.#metrics.get(name);
    if (known !== undefined) return known;
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    const lines = [`# HELP ${name} ${escaped}`, `# TYPE ${name} ${type}`];
    this.#metrics.set(name, lines);
    return lines;
  }
}

/** A histogram as Prometheus wants it. */
export interface HistogramShape {
  readonly bounds: readonly number[];
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sum: number;
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function escapeLabel(value: string | number): string {
  return String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
