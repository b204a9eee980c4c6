import type { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Span } from '../model/spans.ts';

type ReadableSpan = Parameters<OTLPTraceExporter['export']>[0][number];

/** Who receives, and who we say that we are. */
export interface OtlpTarget {
  /** Without `/v1/traces`. */
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

/** Seconds and ns. */
function timeOf(us: number): [number, number] {
  const seconds = Math.floor(us / 1e6);
  return [seconds, Math.round((us - seconds * 1e6) * 1000)];
}
