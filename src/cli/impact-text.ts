import type { ChangeImpact, ConfigImpact } from '../control/publish/impact.ts';

/** Headings of the kinds, in the order of the text. */
const headings: Readonly<Record<ChangeImpact['kind'], string>> = {
  listener: 'listeners',
  route: 'routes',
  pool: 'pools',
  server: 'servers',
  setting: 'settings',
};
const signs: Readonly<Record<ChangeImpact['action'], string>> = {
  added: '+',
  removed: '-',
  changed: '~',
};
/** Changes shown per kind; `--json` has all. */
const shownMax = 50;

/** What a configuration would change, as lines for people. */
export function impactText({ changes, touched }: ConfigImpact): string {
  if (changes.length === 0) return 'nothing would change\n';
  const lines: string[] = [];
  for (const [kind, heading] of Object.entries(headings)) {
    const ofKind = changes.filter((change) => change.kind === kind);
    if (ofKind.length === 0) continue;
    lines.push(`${heading}:`, ...ofKind.slice(0, shownMax).flatMap(changeLines));
    if (ofKind.length > shownMax) lines.push(`  … and ${ofKind.length - shownMax} more`);
  }
  const { links, exchanges } = touched;
  lines.push(`touched now: ${links} client links, ${exchanges} exchanges and tunnels`);
  return `${lines.join('\n')}\n`.replace(/[^\P{Cc}\n]/gu, '?');
}

function changeLines(change: ChangeImpact): string[] {
  const { action, name, details, links, exchanges, effect } = change;
  const counts = [
    ...(links > 0 ? [`${links} links`] : []),
    ...(exchanges > 0 ? [`${exchanges} running`] : []),
  ];
  const said = counts.length > 0 ? ` (${counts.join(', ')})` : '';
  const then = effect === null ? '' : `: ${effect}`;
  return [
    `  ${signs[action]} ${name}${said}${then}`,
    ...details.map((detail) => `      ${detail}`),
  ];
}
