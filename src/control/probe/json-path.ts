/** What was found at a path: a text to compare with, or why there is none. */
export type FoundJson = { readonly text: string } | { readonly why: string };

/**
 * What stands in a JSON document at a path such as `$.checks[0].ok`: texts as they are, all else as JSON.
 * Errors: none thrown, whatever the document is.
 */
export function jsonAt(document: string, path: string): FoundJson {
  let value: unknown;
  try {
    value = JSON.parse(document);
  } catch {
    return { why: 'the body is not JSON' };
  }
  for (const [, name, index] of path.matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]/g)) {
    const key = name ?? index ?? '';
    const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
    if (!isThere) return { why: `nothing stands at ${path}` };
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return { text: typeof value === 'string' ? value : JSON.stringify(value) };
}
