import type { TailFilter } from '../../model/live.ts';
import { duration } from '../config/forms.ts';
import type { Checked } from './body.ts';

const slowTime = duration('0ms', '1h');
const names: readonly string[] = ['status', 'failed', 'pool', 'route', 'server', 'slow', 'text'];
const textMax = 200;

/** Reads the filters of a tail: `status=5xx&slow=200ms&pool=web`. Errors: names the one that cannot be read. */
export function readTailFilter(query: URLSearchParams): Checked<TailFilter> {
  for (const [name, value] of query) {
    if (!names.includes(name)) return refuse(name, `one of ${names.join(', ')}`, name);
    if (value.length > textMax) return refuse(name, `at most ${textMax} characters`, value);
  }
  const status = query.get('status') ?? '0-999';
  const range = statusRange(status);
  if (range === null) return refuse('status', 'a status, 5xx or 400-499', status);
  const failed = query.get('failed') ?? 'false';
  if (failed !== 'true' && failed !== 'false') return refuse('failed', 'true or false', failed);
  const slow = query.get('slow') ?? '0ms';
  const slowMs = slowTime.read(slow);
  if (!('value' in slowMs)) return refuse('slow', slowTime.says, slow);
  const [statusMin, statusMax] = range;
  return {
    ok: true,
    value: {
      statusMin,
      statusMax,
      isFailedOnly: failed === 'true',
      pool: query.get('pool'),
      route: query.get('route'),
      server: query.get('server'),
      slowMs: slowMs.value as number,
      text: query.get('text'),
    },
  };
}

function statusRange(text: string): [number, number] | null {
  const digit = /^([1-5])xx$/.exec(text)?.[1];
  if (digit !== undefined) return [Number(digit) * 100, Number(digit) * 100 + 99];
  const [, from, to] = /^([0-9]{1,3})(?:-([0-9]{1,3}))?$/.exec(text) ?? [];
  if (from === undefined) return null;
  const range: [number, number] = [Number(from), Number(to ?? from)];
  return range[0] <= range[1] ? range : null;
}

function refuse(path: string, requirement: string, value: string): Checked<TailFilter> {
  const found = value.slice(0, 100);
  const message = `Cannot use ${path} as ${requirement} is required: current value is ${found}`;
  return { ok: false, error: { code: 'invalid-query', message, path, requirement, found } };
}
