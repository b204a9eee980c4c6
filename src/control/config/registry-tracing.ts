import * as form from './forms.ts';
import type { RecordShape } from './shape.ts';
import { choice, key, mapOf, record, written } from './shape.ts';

/** Where a receiver of OTLP over HTTP listens. Value: the URL without a slash at its end. */
const otlpUrl: form.Form = {
  name: 'OTLP URL',
  says: 'an http or https URL such as http://127.0.0.1:4318, without user and query',
  pattern: '^https?://[^\\s?#@]{1,1024}$',
  read(written) {
    if (/^https?:\/\/[^\s?#@]{1,1024}$/.test(written) && URL.canParse(written)) {
      return { value: written.replace(/(\/v1\/(traces|metrics))?\/*$/, '') };
    }
    return { suggestion: /^[\w.-]+:\d+$/.test(written) ? `http://${written}` : null };
  },
};

const fieldName = form.text(
  'field name',
  'the name of a header field',
  "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$",
);
const fieldValue: form.Form = {
  ...form.text('field value', 'a text of printable letters', '^[\\u0020-\\u007e]{0,4096}$'),
  isSecret: true,
};
const serviceName = form.text(
  'service name',
  'a text of 1 to 128 letters',
  '^[^\\u0000-\\u001f]{1,128}$',
);

/** `metrics` of the configuration. */
export const metrics: RecordShape = record(
  'metrics',
  'the URL of an OTLP receiver or a map of settings',
  {
    otlp: key(
      written(otlpUrl),
      'Receiver of OTLP over HTTP that metrics are pushed to; `/v1/metrics` is added.',
      { isRequired: true },
    ),
    headers: key(
      mapOf(fieldName, written(fieldValue), { least: 0, most: 32 }),
      'Fields sent along; their values are shown nowhere.',
      { default: 'none' },
    ),
    interval: key(written(form.duration('1s', '1h')), 'Time between two pushes.', {
      default: '15s',
    }),
    service: key(written(serviceName), 'Our `service.name`.', {
      default: 'the name we have in `Via`',
    }),
  },
  { short: 'otlp', later: ['statsd', 'labels', 'protocol'] },
);

/** `tracing` of the configuration. */
export const tracing: RecordShape = record(
  'tracing',
  'the URL of an OTLP receiver or a map of settings',
  {
    otlp: key(
      written(otlpUrl),
      'Receiver of OTLP over HTTP, for example an OpenTelemetry Collector; `/v1/traces` is added.',
      { isRequired: true },
    ),
    headers: key(
      mapOf(fieldName, written(fieldValue), { least: 0, most: 32 }),
      'Fields sent along; their values are shown nowhere.',
      { default: 'none' },
    ),
    sample: key(
      written(form.percentage),
      'Share of the requests that are traced, where no believed `traceparent` decides.',
      { default: '1%' },
    ),
    parents: key(
      choice(['all', 'trusted', 'none']),
      'Whose `traceparent` is believed and followed; `trusted`: of `trustedPeers`. Others are replaced.',
      { default: 'all' },
    ),
    service: key(written(serviceName), 'Our `service.name`.', {
      default: 'the name we have in `Via`',
    }),
  },
  { short: 'otlp', later: ['grpc', 'zipkin', 'jaeger', 'exporter', 'protocol'] },
);
