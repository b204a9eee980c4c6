import { duration } from '../config/forms.ts';
import type { ExplainRequest } from '../explain/explanation.ts';
import type { ConfigText, ServerOperation, ServerSpec } from '../publish/operations.ts';
import type { AdminError } from './answer.ts';

/** A body that was understood, or what is wrong with it. */
export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: AdminError };

/** What a change of a server may set. */
export interface ServerChange {
  readonly weight?: number;
  readonly draining?: boolean;
  /** With a drain: when the rest is closed. */
  readonly for?: string;
}

/** Changes in one transaction: more would be a configuration. */
export const transactionChangesMax = 10_000;
const drainTime = duration('0ms', '168h');

type Field = readonly [requirement: string, isValid: (value: unknown) => boolean];

const weight: Field = [
  'an integer from 0 to 1000',
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1000,
];
const isTrueOrFalse: Field = ['true or false', (value) => typeof value === 'boolean'];

const specFields: Readonly<Record<string, Field>> = {
  address: [
    'an address such as 10.0.0.1:3000',
    (value) => typeof value === 'string' && value !== '',
  ],
  weight,
  backup: isTrueOrFalse,
  maxConnections: [
    'an integer from 0 (no limit) to 1000000',
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1_000_000,
  ],
  maxPending: [
    'an integer from 0 (no limit) to 1000000',
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 1_000_000,
  ],
  labels: ['an object of texts', isTextRecord],
};
const time: Field = [
  drainTime.says,
  (value) => typeof value === 'string' && 'value' in drainTime.read(value),
];
const name: Field = ['a text', (value) => typeof value === 'string' && value !== ''];
const changeFields: Readonly<Record<string, Field>> = {
  weight,
  draining: isTrueOrFalse,
  for: time,
};
/** Fields of one change of a transaction, by its operation. */
const operationFields: Readonly<
  Record<
    ServerOperation['op'],
    { readonly required: readonly string[]; readonly more: readonly string[] }
  >
> = {
  add: { required: ['pool', 'server'], more: [] },
  remove: { required: ['pool', 'address'], more: [] },
  drain: { required: ['pool', 'address'], more: ['for'] },
  ready: { required: ['pool', 'address'], more: [] },
  set: { required: ['pool', 'address', 'weight'], more: [] },
};
const operationNames = Object.keys(operationFields).join(', ');
const operationField: Readonly<Record<string, Field>> = {
  op: [`one of ${operationNames}`, (value) => isOperation(value)],
  pool: name,
  address: name,
  server: ['an object', (value) => typeof value === 'object' && value !== null],
  weight,
  for: time,
};
const faultFields: Readonly<Record<string, Field>> = {
  kind: ['invariant or stuck', (value) => value === 'invariant' || value === 'stuck'],
};

/** Reads the body that adds a server. */
export function readServerSpec(body: string): Checked<ServerSpec> {
  const checked = readObject(body, specFields, ['address']);
  return checked.ok ? { ok: true, value: checked.value as unknown as ServerSpec } : checked;
}

/** Reads the body that changes a server; at least one field is required. */
export function readServerChange(body: string): Checked<ServerChange> {
  const checked = readObject(body, changeFields, []);
  if (!checked.ok) return checked;
  if (Object.keys(checked.value).length === 0) {
    return wrong('', 'at least one of weight and draining', 'nothing');
  }
  if (Object.hasOwn(checked.value, 'for') && checked.value['draining'] !== true) {
    return wrong('for', 'draining: true beside it', 'a time alone');
  }
  return { ok: true, value: checked.value as ServerChange };
}

const someText: Field = ['a text', (value) => typeof value === 'string' && value !== ''];
const explainFields: Readonly<Record<string, Field>> = {
  method: someText,
  url: someText,
  headers: [
    'a list of field lines such as "X-Version: 2"',
    (value) => Array.isArray(value) && value.every(isFieldLine),
  ],
  ip: someText,
  listener: someText,
  protocol: ['http/1.0 or http/1.1', (value) => value === 'http/1.0' || value === 'http/1.1'],
};

function isFieldLine(value: unknown): boolean {
  return typeof value === 'string' && /^[^\r\n:]+:[^\r\n]*$/.test(value);
}

/** Reads the body that asks for an explanation. */
export function readExplain(body: string): Checked<ExplainRequest> {
  const checked = readObject(body, explainFields, ['method', 'url']);
  if (!checked.ok) return checked;
  const given = checked.value as Partial<ExplainRequest>;
  const { method = '', url = '', headers = [], ip = null, listener = null } = given;
  const { protocol = 'http/1.1' } = given;
  return { ok: true, value: { method, url, headers, ip, listener, protocol } };
}

/** Reads the body of the test-only trigger. */
export function readFault(body: string): Checked<{ readonly kind: 'invariant' | 'stuck' }> {
  const checked = readObject(body, faultFields, ['kind']);
  if (!checked.ok) return checked;
  return { ok: true, value: { kind: checked.value['kind'] === 'stuck' ? 'stuck' : 'invariant' } };
}

/** Milliseconds of a drain's `for`; null = without end. Only for what was checked. */
export function drainMsOf(text: string | undefined): number | null {
  const read = text === undefined ? { suggestion: null } : drainTime.read(text);
  return 'value' in read ? Number(read.value) : null;
}

/** Reads the body of a preview: nothing or `{}` for the balancer's own file, else `{ "name", "text" }`. */
export function readPreview(body: string): Checked<ConfigText | null> {
  if (body === '' || body === '{}') return { ok: true, value: null };
  const text: Field = ['a text', (value) => typeof value === 'string'];
  const fileName: Field = [
    'the name of a file that ends in .yaml, .yml or .json',
    (value) => typeof value === 'string' && /\.(ya?ml|json)$/.test(value),
  ];
  const checked = readObject(body, { name: fileName, text }, ['name', 'text']);
  return checked.ok ? { ok: true, value: checked.value as unknown as ConfigText } : checked;
}

/** Reads the body of a transaction: `{ "changes": [ { "op": "drain", "pool": …, … }, … ] }`. */
export function readTransaction(body: string): Checked<readonly ServerOperation[]> {
  const checked = readObject(
    body,
    { changes: [`a list of 1 to ${transactionChangesMax} changes`, isChangeList] },
    ['changes'],
  );
  if (!checked.ok) return checked;
  const operations: ServerOperation[] = [];
  for (const [index, change] of (checked.value['changes'] as readonly unknown[]).entries()) {
    const read = readOperation(change, `changes[${index}]`);
    if (!read.ok) return read;
    operations.push(read.value);
  }
  return { ok: true, value: operations };
}

function readOperation(change: unknown, path: string): Checked<ServerOperation> {
  const op: unknown = (change as { op?: unknown } | null)?.op;
  if (!isOperation(op)) return wrong(`${path}.op`, `one of ${operationNames}`, show(op));
  const { required, more } = operationFields[op];
  const names = ['op', ...required, ...more];
  const fields = Object.fromEntries(names.map((each) => [each, operationField[each] as Field]));
  const checked = checkObject(change, fields, required, path);
  if (!checked.ok) return checked;
  const { for: time, server, ...rest } = checked.value;
  if (op === 'add') {
    const spec = checkObject(server, specFields, ['address'], `${path}.server`);
    if (!spec.ok) return spec;
    return { ok: true, value: { ...rest, server: spec.value } as unknown as ServerOperation };
  }
  const forMs = op === 'drain' ? { forMs: drainMsOf(time as string | undefined) } : {};
  return { ok: true, value: { ...rest, ...forMs } as unknown as ServerOperation };
}

function isOperation(value: unknown): value is ServerOperation['op'] {
  return typeof value === 'string' && Object.hasOwn(operationFields, value);
}

function isChangeList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= transactionChangesMax;
}

function readObject(
  body: string,
  fields: Readonly<Record<string, Field>>,
  required: readonly string[],
): Checked<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // What the caller needs to know is that it is not JSON; the parser's position adds nothing to a short body.
    return wrong('', 'a JSON object', body === '' ? 'an empty body' : 'something else');
  }
  return checkObject(value, fields, required, '');
}

function checkObject(
  value: unknown,
  fields: Readonly<Record<string, Field>>,
  required: readonly string[],
  at: string,
): Checked<Readonly<Record<string, unknown>>> {
  const path = (field: string): string => (at === '' ? field : `${at}.${field}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong(at, at === '' ? 'a JSON object' : 'an object', show(value));
  }
  for (const [key, given] of Object.entries(value)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field === undefined) {
      const requirement = `one of ${Object.keys(fields).join(', ')}`;
      return wrong(path(key), requirement, `the unknown field ${key}`);
    }
    if (!field[1](given)) return wrong(path(key), field[0], show(given));
  }
  for (const key of required) {
    if (!Object.hasOwn(value, key))
      return wrong(path(key), fields[key]?.[0] ?? 'a value', 'nothing');
  }
  return { ok: true, value: value as Readonly<Record<string, unknown>> };
}

function wrong(path: string, requirement: string, found: string): Checked<never> {
  const what = path === '' ? 'the body' : path;
  const message = `Cannot use ${what} as ${requirement} is required: current value is ${found}`;
  return { ok: false, error: { code: 'invalid-body', message, path, requirement, found } };
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 100);
}

function isTextRecord(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string')
  );
}
