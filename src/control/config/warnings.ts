import { routeFindings } from '../../match/overlap.ts';
import type { Config } from './config.ts';
import type { Position } from './problem.ts';
import { placeOf } from './references.ts';

/** Something allowed and surprising, with its place. */
export interface ConfigWarning extends Position {
  /** `routes[3]`. */
  readonly path: string;
  readonly message: string;
}

/** Warnings about a good configuration, in the order of the file. */
export function configWarnings(
  config: Config,
  positions: ReadonlyMap<string, Position>,
): readonly ConfigWarning[] {
  const { routes } = config;
  const nameOf = (index: number): string => `'${routes[index]?.name ?? ''}'`;
  return routeFindings(routes).map((finding) => {
    const { route } = finding;
    const path = `routes[${route}]`;
    const warn = (message: string): ConfigWarning => {
      const { line, column } = placeOf(path, positions);
      return { line, column, path, message };
    };
    if (finding.kind === 'impossible') {
      return warn(`the route ${nameOf(route)} can never match: what it asks for excludes itself`);
    }
    if (finding.kind === 'crossing') {
      const { target, by } = finding;
      const both = `requests for ${target} meet both ${nameOf(by)} and ${nameOf(route)}`;
      return warn(`${both}; ${nameOf(by)} takes them, as it is written first`);
    }
    const by = finding.by.map(nameOf);
    const who = by.length === 1 ? `${by[0]} takes` : `${by.slice(0, 5).join(', ')} take`;
    return warn(`the route ${nameOf(route)} can never match: ${who} all of its requests before`);
  });
}

/** One line: `file:line:column: path: warning: message`. */
export function formatWarning(file: string, warning: ConfigWarning): string {
  const { line, column, path, message } = warning;
  return `${file}:${line}:${column}: ${path}: warning: ${message}`;
}
