import type { JsonSchema } from '../../src/control/config/schema.ts';

/**
 * Does a value satisfy a schema? Knows the keywords that `configSchema()` uses and throws on any
 * other, so that a new one cannot go unchecked.
 */
export function satisfies(schema: JsonSchema, value: unknown, root: JsonSchema = schema): boolean {
  return Object.entries(schema).every(([keyword, argument]) => {
    const rule = rules[keyword];
    if (rule === undefined) throw new Error(`unknown keyword ${keyword}`);
    return rule(argument, value, schema, root);
  });
}

type Rule = (argument: any, value: any, schema: JsonSchema, root: JsonSchema) => boolean;

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const always: Rule = () => true;

const rules: Readonly<Record<string, Rule>> = {
  $schema: always,
  $defs: always,
  title: always,
  description: always,
  $ref: (ref: string, value, _schema, root) => {
    const definitions = root['$defs'] as Record<string, JsonSchema>;
    const definition = definitions[ref.replace('#/$defs/', '')];
    if (definition === undefined) throw new Error(`no definition ${ref}`);
    return satisfies(definition, value, root);
  },
  type: (type: string, value) => {
    if (type === 'object') return isMap(value);
    if (type === 'array') return Array.isArray(value);
    if (type === 'integer') return Number.isInteger(value);
    return typeof value === type;
  },
  enum: (words: readonly unknown[], value) => words.includes(value),
  anyOf: (schemas: readonly JsonSchema[], value, _schema, root) =>
    schemas.some((one) => satisfies(one, value, root)),
  pattern: (pattern: string, value) =>
    typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minimum: (least: number, value) => typeof value !== 'number' || value >= least,
  maximum: (most: number, value) => typeof value !== 'number' || value <= most,
  minItems: (least: number, value) => !Array.isArray(value) || value.length >= least,
  maxItems: (most: number, value) => !Array.isArray(value) || value.length <= most,
  items: (items: JsonSchema, value, _schema, root) =>
    !Array.isArray(value) || value.every((item) => satisfies(items, item, root)),
  minProperties: (least: number, value) => !isMap(value) || Object.keys(value).length >= least,
  maxProperties: (most: number, value) => !isMap(value) || Object.keys(value).length <= most,
  required: (names: readonly string[], value) =>
    !isMap(value) || names.every((name) => Object.hasOwn(value, name)),
  properties: (properties: Record<string, JsonSchema>, value, _schema, root) =>
    !isMap(value) ||
    Object.entries(value).every(([name, inner]) => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      return property === undefined || satisfies(property, inner, root);
    }),
  propertyNames: (names: JsonSchema, value, _schema, root) =>
    !isMap(value) || Object.keys(value).every((name) => satisfies(names, name, root)),
  additionalProperties: (rest: false | JsonSchema, value, schema, root) => {
    if (!isMap(value)) return true;
    const known = (schema['properties'] ?? {}) as Record<string, unknown>;
    const others = Object.keys(value).filter((name) => !Object.hasOwn(known, name));
    return others.every((name) => rest !== false && satisfies(rest, value[name], root));
  },
};
