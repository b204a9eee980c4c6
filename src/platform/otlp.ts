import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { MetricFamily } from '../model/metric-family.ts';
import type { Span } from '../model/spans.ts';

type ReadableSpan = Parameters<OTLPTraceExporter['export']>[0][number];

/** Who receives, and who we say that we are. */
export interface OtlpTarget {
  /** Without `/v1/traces` and `/v1/metrics`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
  readonly version: string;
}

/** Where spans are sent to. */
export interface SpanReceiver {
  /** `why`: null when they were taken. Tries again for some seconds by itself. */
  send(spans: readonly Span[], done: (why: string | null) => void): void;
  /** Resolves when what was sent has ended. */
  close(): Promise<void>;
}

/** One send with its repetitions takes no longer. */
const SEND_MS = 10_000;
/** Sends at a time. */
const SENDS_MAX = 4;

/**
 * Loads OpenTelemetry's exporter and aims it. The packages are loaded by the first call: without tracing they cost
 * nothing. Errors: rejects when they cannot be loaded.
 */
export async function openSpanReceiver(target: OtlpTarget): Promise<SpanReceiver> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }, { SpanKind, SpanStatusCode }] =
    await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/api'),
    ]);
  const exporter = new OTLPTraceExporter({
    url: `${target.url}/v1/traces`,
    headers: { ...target.headers },
    timeoutMillis: SEND_MS,
    concurrencyLimit: SENDS_MAX,
  });
  const resource = resourceFromAttributes({
    'service.name': target.service,
    'service.version': target.version,
  });
  const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };
  const readable = (span: Span): ReadableSpan => ({
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => ({ traceId: span.traceId, spanId: span.id, traceFlags: 1 }),
    ...(span.parentId === null
      ? {}
      : {
          parentSpanContext: {
            traceId: span.traceId,
            spanId: span.parentId,
            traceFlags: 1,
            isRemote: span.hasRemoteParent,
          },
        }),
    startTime: timeOf(span.startUs),
    endTime: timeOf(span.endUs),
    duration: timeOf(span.endUs - span.startUs),
    status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'evenkeel', version: target.version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  });
  return {
    send(spans, done) {
      exporter.export(spans.map(readable), ({ code, error }) => {
        done(code === 0 ? null : (error?.message ?? 'no reason was told'));
      });
    },
    close: () => exporter.shutdown(),
  };
}

/** Where metrics are pushed to. */
export interface MetricReceiver {
  /** `startUs`: when counting began (epoch µs). `why`: null when they were taken. */
  send(
    families: readonly MetricFamily[],
    startUs: number,
    nowUs: number,
    done: (why: string | null) => void,
  ): void;
  close(): Promise<void>;
}

/** The same for metrics: cumulative counters, gauges, histograms with explicit bounds. */
export async function openMetricReceiver(target: OtlpTarget): Promise<MetricReceiver> {
  const [{ OTLPMetricExporter }, metrics, { resourceFromAttributes }, { ValueType }] =
    await Promise.all([
      import('@opentelemetry/exporter-metrics-otlp-http'),
      import('@opentelemetry/sdk-metrics'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/api'),
    ]);
  const { AggregationTemporality, DataPointType } = metrics;
  const exporter = new OTLPMetricExporter({
    url: `${target.url}/v1/metrics`,
    headers: { ...target.headers },
    timeoutMillis: SEND_MS,
  });
  const resource = resourceFromAttributes({
    'service.name': target.service,
    'service.version': target.version,
  });
  type MetricData = ResourceMetrics['scopeMetrics'][number]['metrics'][number];
  const dataOf = (family: MetricFamily, startUs: number, nowUs: number): MetricData => {
    const times = { startTime: timeOf(startUs), endTime: timeOf(nowUs) };
    const base = {
      descriptor: {
        name: family.name,
        description: family.help,
        unit: family.name.includes('_seconds') ? 's' : '',
        valueType: ValueType.DOUBLE,
      },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    };
    if (family.type === 'histogram') {
      const dataPoints = family.histograms.map(({ labels, bounds, counts, sum, count }) => ({
        ...times,
        attributes: labels,
        value: { buckets: { boundaries: [...bounds], counts: [...counts] }, sum, count },
      }));
      return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    }
    const dataPoints = family.samples.map(({ labels, value }) => ({
      ...times,
      attributes: labels,
      value,
    }));
    return family.type === 'counter'
      ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
      : { ...base, dataPointType: DataPointType.GAUGE, dataPoints };
  };
  return {
    send(families, startUs, nowUs, done) {
      const scope = { name: 'evenkeel', version: target.version };
      const all = families.map((family) => dataOf(family, startUs, nowUs));
      exporter.export({ resource, scopeMetrics: [{ scope, metrics: all }] }, ({ code, error }) =>
        done(code === 0 ? null : (error?.message ?? 'no reason was told')),
      );
    },
    close: () => exporter.shutdown(),
  };
}

/** Seconds and ns. */
function timeOf(us: number): [number, number] {
  const seconds = Math.floor(us / 1e6);
  return [seconds, Math.round((us - seconds * 1e6) * 1000)];
}
