import { transactionChangesMax } from './body.ts';

/** A JSON Schema of a request's body. */
type Schema = Readonly<Record<string, unknown>>;

const weightSchema = { type: 'integer', minimum: 0, maximum: 1000 };
const labelsSchema = { type: 'object', additionalProperties: { type: 'string' } };
/** A configuration to compare with the running one; empty = its own file. */
export const previewSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string', examples: ['evenkeel.yaml'] },
    text: { type: 'string' },
  },
};
/** A server that is added. */
export const specSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['address'],
  properties: {
    address: { type: 'string', examples: ['10.0.0.1:3000'] },
    weight: weightSchema,
    backup: { type: 'boolean' },
    maxConnections: { type: 'integer', minimum: 0, maximum: 1_000_000 },
    maxPending: { type: 'integer', minimum: 0, maximum: 1_000_000 },
    labels: labelsSchema,
  },
};
/** A change of one server. */
export const changeSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    weight: weightSchema,
    draining: { type: 'boolean' },
    for: { type: 'string', examples: ['5m'] },
  },
};
/** Several changes, all or none. */
export const transactionSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['changes'],
  properties: {
    changes: {
      type: 'array',
      minItems: 1,
      maxItems: transactionChangesMax,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['op', 'pool'],
        properties: {
          op: { enum: ['add', 'remove', 'drain', 'ready', 'set'] },
          pool: { type: 'string' },
          address: { type: 'string' },
          server: specSchema,
          weight: weightSchema,
          for: { type: 'string', examples: ['5m'] },
        },
      },
    },
  },
};

/** A request to explain. */
export const explainSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['method', 'url'],
  properties: {
    method: { type: 'string', examples: ['GET'] },
    url: { type: 'string', examples: ['http://api.example.com/v1/users?page=2'] },
    headers: { type: 'array', items: { type: 'string' }, examples: [['X-Version: 2']] },
    ip: { type: 'string', description: 'Where the connection comes from; default 127.0.0.1.' },
    listener: { type: 'string' },
    protocol: { enum: ['http/1.0', 'http/1.1'] },
  },
};
