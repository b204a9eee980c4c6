import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';

/** A span as OTLP/HTTP in JSON carries it (opentelemetry/proto/trace/v1/trace.proto). */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly OtlpAttribute[];
}

/** A value by name; whole numbers may be texts. */
export interface OtlpAttribute {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly intValue?: number | string;
    readonly doubleValue?: number;
    readonly boolValue?: boolean;
  };
}

/** What was posted to one path. */
export interface OtlpPost {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: unknown;
}

/** A receiver of OTLP/HTTP on loopback that takes JSON and keeps it; `status`: what it answers. */
export interface OtlpReceiver {
  readonly url: string;
  readonly posts: readonly OtlpPost[];
  status: number;
  spans(): OtlpSpan[];
}

/** Starts one; it is stopped when the test ends. */
export async function startOtlpReceiver(test: TestContext): Promise<OtlpReceiver> {
  const posts: OtlpPost[] = [];
  const receiver = {
    url: '',
    posts,
    status: 200,
    spans: () =>
      posts.filter(({ path }) => path === '/v1/traces').flatMap(({ body }) => spansOf(body)),
  };
  const server = createServer((incoming, answer) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const bytes = Buffer.concat(parts);
      const isPacked = incoming.headers['content-encoding'] === 'gzip';
      const text = (isPacked ? gunzipSync(bytes) : bytes).toString();
      if (receiver.status === 200) {
        posts.push({ path: incoming.url ?? '', headers: incoming.headers, body: JSON.parse(text) });
      }
      answer.writeHead(receiver.status, { 'content-type': 'application/json' });
      answer.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return receiver;
}

function spansOf(body: unknown): OtlpSpan[] {
  const { resourceSpans } = body as {
    resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[];
  };
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}

/** Attributes by name, as plain values. */
export function attributesOf(span: {
  readonly attributes: readonly OtlpAttribute[];
}): Record<string, unknown> {
  return Object.fromEntries(
    span.attributes.map(({ key, value }) => {
      const { intValue } = value;
      const whole = intValue === undefined ? undefined : Number(intValue);
      return [key, value.stringValue ?? whole ?? value.doubleValue ?? value.boolValue];
    }),
  );
}
