import type { Form } from './forms.ts';
import { configuration } from './registry.ts';
import type { Key, RecordShape, Shape } from './shape.ts';

/** A JSON Schema node. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 2020-12) of a configuration file, for editors. It accepts every file that
 * the checker accepts; references between values and number ranges inside texts are the checker's.
 */
export function configSchema(): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const root = schemaOfRecord(configuration, definitions);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Evenkeel configuration',
    ...root,
    $defs: definitions,
  };
}

function schemaOf(shape: Shape, definitions: Record<string, JsonSchema>): JsonSchema {
  switch (shape.kind) {
    case 'text':
      return schemaOfText(shape.form);
    case 'count':
      return { type: 'integer', minimum: shape.least, maximum: shape.most };
    case 'flag':
      return { type: 'boolean' };
    case 'choice':
      return { enum: shape.words };
    case 'list': {
      const items = schemaOf(shape.of, definitions);
      const many = { type: 'array', items, minItems: shape.least, maxItems: shape.most };
      return shape.mayBeLone ? { anyOf: [items, many] } : many;
    }
    case 'map':
      return {
        type: 'object',
        propertyNames: { pattern: shape.key.pattern },
        additionalProperties: schemaOf(shape.of, definitions),
        minProperties: shape.least,
        maxProperties: shape.most,
      };
    case 'record':
      return referenceTo(shape, definitions);
  }
}

function schemaOfText(form: Form): JsonSchema {
  const asText = { type: 'string', pattern: form.pattern };
  if (form.hasFlags) return { anyOf: [{ type: 'boolean' }, asText] };
  if (form.numbers === undefined) return asText;
  const [minimum, maximum] = form.numbers;
  return { anyOf: [{ type: form.hasFractions ? 'number' : 'integer', minimum, maximum }, asText] };
}

/** Records are defined once, by name, so that editors show the name. */
function referenceTo(shape: RecordShape, definitions: Record<string, JsonSchema>): JsonSchema {
  const name = shape.name.replaceAll(' ', '-');
  if (definitions[name] === undefined) {
    // A mark first: should records ever nest in a circle, this ends it.
    definitions[name] = {};
    const long = schemaOfRecord(shape, definitions);
    const short = shape.short === null ? undefined : shape.keys[shape.short];
    definitions[name] =
      short === undefined ? long : { anyOf: [long, schemaOf(short.shape, definitions)] };
  }
  return { $ref: `#/$defs/${name}` };
}

function schemaOfRecord(shape: RecordShape, definitions: Record<string, JsonSchema>): JsonSchema {
  const entries = Object.entries(shape.keys);
  const properties = entries.map(([name, known]) => [name, schemaOfKey(known, definitions)]);
  const required = entries.filter(([, known]) => known.isRequired).map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required,
    additionalProperties: false,
  };
}

function schemaOfKey(known: Key, definitions: Record<string, JsonSchema>): JsonSchema {
  const standard = known.default === null ? '' : ` Default: ${known.default}.`;
  return { ...schemaOf(known.shape, definitions), description: `${known.says}${standard}` };
}
