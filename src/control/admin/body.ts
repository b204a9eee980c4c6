import type { ExplainRequest } from '../explain/explanation.ts';
import type { ServerSpec } from '../publish/operations.ts';
import type { AdminError } from './answer.ts';

/** A body that was understood, or what is wrong with it. */
export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: AdminError };

/** What a change of a server may set. */
export interface ServerChange {
  readonly weight?: number;
  readonly draining?: boolean;
}

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
  labels: ['an object of texts', isTextRecord],
};
const changeFields: Readonly<Record<string, Field>> = { weight, draining: isTrueOrFalse };
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
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong('', 'a JSON object', show(value));
  }
  for (const [name, given] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      return wrong(name, `one of ${Object.keys(fields).join(', ')}`, `the unknown field ${name}`);
    }
    if (!field[1](given)) return wrong(name, field[0], show(given));
  }
  for (const name of required) {
    if (!Object.hasOwn(value, name)) return wrong(name, fields[name]?.[0] ?? 'a value', 'nothing');
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
