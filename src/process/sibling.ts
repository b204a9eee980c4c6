/**
 * A module of this folder as a URL, for threads and processes that are started with a file: `.ts`
 * in a checkout, `.js` in the published package.
 */
export function sibling(here: string, name: string): URL {
  return new URL(`./${name}${here.endsWith('.ts') ? '.ts' : '.js'}`, here);
}
