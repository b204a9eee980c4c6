import type { AdminRoute } from './route.ts';

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string' },
        message: { type: 'string' },
        path: { type: 'string' },
        requirement: { type: 'string' },
        found: { type: 'string' },
        problems: { type: 'array', items: { type: 'string' } },
      },
    },
  },
};

/** The OpenAPI 3.1 document of the given routes. */
export function openApiDocument(routes: readonly AdminRoute[], version: string): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operationOf(route);
    paths[route.path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Evenkeel admin API',
      version,
      description:
        'On the Unix socket all is open to its owner. Over TCP reads are open on loopback, changes need the token.',
    },
    paths,
    components: {
      schemas: { Error: errorSchema },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationOf(route: AdminRoute): Record<string, unknown> {
  const parameters = [...route.path.matchAll(/\{([a-z]+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.requestSchema === undefined
      ? {}
      : { requestBody: { required: true, content: jsonContent(route.requestSchema) } }),
    ...(route.isChange ? { security: [{ token: [] }] } : {}),
    responses: responsesOf(route),
  };
}

function responsesOf(route: AdminRoute): Record<string, unknown> {
  const responses: Record<string, unknown> = {};
  for (const [status, description] of Object.entries(route.answers)) {
    const isError = Number(status) >= 400;
    const success = { [route.contentType ?? 'application/json']: {} };
    responses[status] = { description, content: isError ? errorContent : success };
  }
  responses['default'] = { description: 'Refused.', content: errorContent };
  return responses;
}

function jsonContent(schema: unknown): Record<string, unknown> {
  return { 'application/json': { schema } };
}

const errorContent = jsonContent({ $ref: '#/components/schemas/Error' });
