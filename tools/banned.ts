import { lineOf, type SourceFile, withoutComments } from './source-files.ts';

/** One thing that may not be written, where, and what to write instead. */
export interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  readonly instead: string;
  /** Files in which it is banned. */
  readonly where: (path: string) => boolean;
  /** Look at comments too. */
  readonly inComments?: boolean;
}

const isTest = (path: string): boolean =>
  /\.(test|bench|conformance|fixture)\.ts$|test-[a-z-]+\.ts$|\/conformance\//.test(path);
const isSource = (path: string): boolean => path.startsWith('src/') && !isTest(path);
const isInside = (path: string): boolean =>
  isSource(path) && !/^src\/(platform|process|cli|dashboard)\//.test(path);

/** The list, one row a rule of the house. */
export const bans: readonly Ban[] = [
  {
    what: 'Date',
    pattern: /\bDate\.now\(|\bnew Date\(\s*\)/g,
    instead: 'a clock that is passed in',
    where: isInside,
  },
  {
    what: 'timers',
    pattern: /(?<![.\w])(setTimeout|setInterval|setImmediate)\(/g,
    instead: 'the timing wheel, or timers that are passed in',
    where: isInside,
  },
  {
    what: 'Math.random',
    pattern: /\bMath\.random\(/g,
    instead: 'base/prng with a seed that is passed in',
    where: (path) => path.startsWith('src/'),
  },
  {
    what: 'process',
    pattern: /(?<![.\w'"/`-])process\.(env|exit|pid|hrtime|on|argv|kill|stdout|stderr|platform)\b/g,
    instead: 'a value that is passed in',
    where: isInside,
  },
  {
    what: 'console',
    pattern: /(?<![.\w])console\.\w+\(/g,
    instead: 'the process log, or process.stdout in cli/',
    where: isSource,
  },
  {
    what: 'node: I/O modules',
    pattern:
      /from\s+['"]node:(fs|fs\/promises|net|http|https|tls|dgram|dns|dns\/promises|child_process|worker_threads|cluster|timers|timers\/promises|process|os)['"]/g,
    instead: 'a small interface that platform/ implements',
    where: (path) => isInside(path) && !/^src\/control\/(admin|config|probe|report)\//.test(path),
  },
  {
    what: 'node: modules in pure rooms',
    pattern: /from\s+['"]node:/g,
    instead: 'plain TypeScript',
    where: (path) =>
      isSource(path) && /^src\/(base|model|wire|balance|match|health|limit|capacity)\//.test(path),
  },
  {
    what: 'enum',
    pattern: /^\s*(export\s+)?(const\s+)?enum\s/gm,
    instead: 'a const object',
    where: () => true,
  },
  {
    what: 'default export',
    pattern: /^export\s+default\b/gm,
    instead: 'a named export',
    // The reference prints an example of a configuration file, the one place for default exports.
    where: (path) =>
      !/\.md$|config\/reference\.ts$|evenkeel\.config\.|^test\/config\/|-policy\.ts$|^examples\/hooks\/|^tools\/test-reporter\.mjs$/.test(
        path,
      ),
  },
  {
    what: 'focused test',
    pattern: /\b(it|test|describe)\.only\(|\bonly:\s*true/g,
    instead: 'the whole suite',
    where: () => true,
  },
  {
    what: 'note to self',
    pattern: new RegExp(['TO', 'DO|FIX', 'ME|X', 'XX'].join(''), 'g'),
    instead: 'the thing itself, or an issue',
    where: () => true,
    inComments: true,
  },
  {
    what: 'path of one machine',
    pattern: new RegExp(
      ['(?<![\\w.])/wo', 'rk/|/ho', 'me/[a-z]+/|/Us', 'ers/[a-z]+/'].join(''),
      'g',
    ),
    instead: 'a path relative to the checkout',
    where: () => true,
    inComments: true,
  },
];

/** Breaches of the bans, as `file:line: what, use instead`. */
export function bannedUses(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    const code = withoutComments(text);
    for (const ban of bans) {
      if (!ban.where(path)) continue;
      const looked = ban.inComments === true ? text : code;
      for (const match of looked.matchAll(ban.pattern)) {
        const line = looked.split('\n')[lineOf(looked, match.index) - 1] ?? '';
        const before = text.split('\n').slice(0, lineOf(looked, match.index)).slice(-4).join('\n');
        // Rule zero: a breach with its reason at the spot.
        if (/Rule zero:/i.test(before)) continue;
        found.push(
          `${path}:${lineOf(looked, match.index)}: ${ban.what} (${line.trim().slice(0, 60)}); use ${ban.instead}`,
        );
      }
    }
  }
  return found;
}
