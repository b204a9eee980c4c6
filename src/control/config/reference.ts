import { configuration } from './registry.ts';
import type { Key, RecordShape, Shape } from './shape.ts';
import { saysOf } from './shape.ts';

/** The text of `docs/reference/configuration.md`, made from the registry. Cost: linear in keys. */
export function docs(): string {
  const sections: string[] = [];
  const waiting: { shape: RecordShape; path: string }[] = [{ shape: configuration, path: '' }];
  // A match within a match is told once.
  const told = new Set<RecordShape>();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { shape, path } = next;
    if (told.has(shape)) continue;
    told.add(shape);
    sections.push(sectionOf(shape, path));
    for (const [name, known] of Object.entries(shape.keys)) {
      const inner = innerRecord(known.shape, path === '' ? name : `${path}.${name}`);
      if (inner !== null) waiting.push(inner);
    }
  }
  return `${introduction}\n${sections.join('\n')}`;
}

const introduction = `# Configuration

<!-- Made from src/control/config/registry.ts: \`EVENKEEL_GOLDEN=write node --test "test/config/*.test.ts"\`. -->

A configuration is a file \`evenkeel.yaml\`, \`evenkeel.json\` or \`evenkeel.config.ts\` in the working
directory, or one given with \`-c\`. \`evenkeel check\` says what is wrong with it: every fault at once,
each with its line, its path and what to write instead. \`evenkeel schema\` prints a JSON Schema for
editors. The least that works:

\`\`\`yaml
listeners: [":8080"]
pools:
  web: ["127.0.0.1:3001", "127.0.0.1:3002"]
\`\`\`

In TypeScript, the file exports the same keys as its default; it is run anew at each reload, in a
thread of its own, and must give plain data:

\`\`\`ts
import { defineConfig } from 'evenkeel';

export default defineConfig({
  listeners: [':8080'],
  pools: { web: ['127.0.0.1:3001', '127.0.0.1:3002'] },
});
\`\`\`

- Durations: \`500ms 2s 5m 1h\`. Sizes: \`64KiB 1MiB\`. Percentages: \`20%\`. Names: \`[a-z0-9-]+\`.
- \`":8080"\` listens on IPv4 and IPv6; \`"0.0.0.0:8080"\` on IPv4 alone, \`"[::]:8080"\` on IPv6 alone.
  Port 0 lets the system choose one.
- The first route that matches wins. With one pool that no route names, a last route sends everything
  else to it. Where several pools are there, routes must say.
- A route takes a request that has all of what its \`match\` asks; \`any\`, \`all\` and \`not\` hold further matches.
  Tests of headers, query parameters and cookies hold when one value of the name passes; \`not\` holds when none
  does, so without a value too. Header names match in any case, all values by case. Fields that do not reach
  a server (named by \`Connection\`, \`X-Forwarded-*\` of peers that are not trusted) are not seen.
- Patterns are in RE2's syntax, found anywhere unless \`^\` and \`$\` bind them, and cost linear time.
- Paths in routes are compared with canonical paths (case of escapes, dot segments and needless
  escapes resolved), so they must be written so.
- A relative path of a log file starts at the working directory.
- What a later version brings is refused as "not in this version", never ignored.
`;

function sectionOf(shape: RecordShape, path: string): string {
  const title = path === '' ? '## The file' : `## \`${path}\``;
  const short =
    shape.short === null
      ? ''
      : `\nShort form: the value of \`${shape.short}\` instead of the map.\n`;
  const rows = Object.entries(shape.keys).map(([name, known]) => rowOf(name, known));
  return `${title}\n${short}\n| key | value | default | |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function rowOf(name: string, known: Key): string {
  const standard = known.isRequired ? '**required**' : (known.default ?? '');
  const cells = [`\`${name}\``, valueText(known.shape), standard, known.says];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function valueText(shape: Shape): string {
  if (shape.kind === 'choice') return shape.words.map((word) => `\`${word}\``).join(', ');
  if (shape.kind === 'map' && shape.of.kind !== 'record') return `a map: ${saysOf(shape.of)}`;
  if (shape.kind === 'list' && !shape.mayBeLone && shape.of.kind !== 'record') {
    return `a list: ${saysOf(shape.of)}`;
  }
  return saysOf(shape);
}

function innerRecord(shape: Shape, path: string): { shape: RecordShape; path: string } | null {
  if (shape.kind === 'record') return { shape, path };
  if (shape.kind === 'list') return innerRecord(shape.of, `${path}[]`);
  if (shape.kind === 'map') return innerRecord(shape.of, `${path}.NAME`);
  return null;
}
